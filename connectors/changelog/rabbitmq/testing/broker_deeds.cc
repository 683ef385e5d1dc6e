#include "connectors/changelog/rabbitmq/testing/broker_deeds.h"

#include <amqp.h>

#include "connectors/changelog/rabbitmq/connection.h"

namespace tributary::rabbitmq::testing {

namespace {

amqp_bytes_t bytes(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

}  // namespace

Result<void> delete_queue(const Endpoint& endpoint, const std::string& queue) {
  TRIBUTARY_ASSIGN(const auto connection, Connection::open(endpoint, "test", queue));
  amqp_queue_delete(connection->handle(), kChannel, bytes(queue), 0, 0);
  return connection->answered(amqp_get_rpc_reply(connection->handle()), "delete " + queue);
}

Result<void> declare_classic_queue(const Endpoint& endpoint, const std::string& queue) {
  TRIBUTARY_ASSIGN(const auto connection, Connection::open(endpoint, "test", queue));
  amqp_queue_declare(connection->handle(), kChannel, bytes(queue), 0, 1, 0, 0, amqp_empty_table);
  return connection->answered(amqp_get_rpc_reply(connection->handle()), "declare " + queue);
}

}  // namespace tributary::rabbitmq::testing
