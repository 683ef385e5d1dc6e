#include "connectors/changelog/rabbitmq/stream.h"

#include <limits>
#include <vector>

#include <amqp.h>

#include "connectors/changelog/rabbitmq/errors.h"

namespace tributary::rabbitmq {

namespace {

amqp_bytes_t bytes(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};
}

amqp_table_entry_t text(const char* name, const std::string& value) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = bytes(value);
  return entry;
}

amqp_table_entry_t number(const char* name, std::uint64_t value) {
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes(name);
  entry.value.kind = AMQP_FIELD_KIND_I64;
  entry.value.value.i64 = static_cast<std::int64_t>(value);
  return entry;
}

amqp_table_t table(std::vector<amqp_table_entry_t>& entries) {
  return {static_cast<int>(entries.size()), entries.data()};
}

}  // namespace

Result<bool> exists(Connection& connection, const std::string& stream) {
  amqp_queue_declare(connection.handle(), kChannel, bytes(stream), 1, 0, 0, 0, amqp_empty_table);
  const amqp_rpc_reply_t reply = amqp_get_rpc_reply(connection.handle());
  const auto closing = close_reason(reply);
  auto looked = connection.answered(reply, "look at " + stream);
  if (looked) return true;
  if (closing && closing->code == AMQP_NOT_FOUND) return false;
  return fail(looked.error());
}

Result<void> declare_stream(Connection& connection, const Endpoint& endpoint,
                            const std::string& stream) {
  const std::string type = "stream";
  const std::string age = std::to_string(endpoint.max_age.count()) + "s";
  std::vector<amqp_table_entry_t> arguments = {text("x-queue-type", type)};
  if (endpoint.max_age.count() > 0) arguments.push_back(text("x-max-age", age));
  if (endpoint.max_bytes > 0) {
    arguments.push_back(number("x-max-length-bytes", endpoint.max_bytes));
  }
  if (endpoint.segment_bytes > 0) {
    arguments.push_back(number("x-stream-max-segment-size-bytes", endpoint.segment_bytes));
  }
  amqp_queue_declare(connection.handle(), kChannel, bytes(stream), 0, 1, 0, 0, table(arguments));
  return connection.answered(amqp_get_rpc_reply(connection.handle()), "declare " + stream);
}

Result<void> demand_stream(Connection& connection, const std::string& stream) {
  const amqp_rpc_reply_t reply = amqp_basic_get(connection.handle(), kChannel, bytes(stream), 0);
  const auto closing = close_reason(reply);
  auto got = connection.answered(reply, "look into " + stream);
  if (closing && closing->code == AMQP_NOT_IMPLEMENTED) return {};  // so says every stream
  if (closing && closing->code == AMQP_ACCESS_REFUSED) return {};
  if (!got) return got;
  return fail(ErrorKind::kInvalid, connection.party().broker + ": " + stream +
                                       " is a queue, but not a stream: somebody else made it. "
                                       "Nothing was changed. Find out whose it is; the relay makes "
                                       "the stream as soon as the name is free");
}

Result<std::uint64_t> rough_count(Connection& connection, const std::string& stream) {
  const amqp_queue_declare_ok_t* found = amqp_queue_declare(
      connection.handle(), kChannel, bytes(stream), 1, 0, 0, 0, amqp_empty_table);
  TRIBUTARY_TRY(connection.answered(amqp_get_rpc_reply(connection.handle()), "look at " + stream));
  return found->message_count;
}

Result<void> consume(Connection& connection, const std::string& stream, StartAt start,
                     std::uint16_t prefetch) {
  amqp_basic_qos(connection.handle(), kChannel, 0, prefetch, 0);
  TRIBUTARY_TRY(connection.answered(amqp_get_rpc_reply(connection.handle()), "set the prefetch"));

  const std::string name = start.kind == StartAt::Kind::kFirst ? "first" : "last";
  std::vector<amqp_table_entry_t> arguments = {start.kind == StartAt::Kind::kOffset
                                                   ? number("x-stream-offset", start.offset.value)
                                                   : text("x-stream-offset", name)};
  amqp_basic_consume(connection.handle(), kChannel, bytes(stream), amqp_empty_bytes, 0, 0, 0,
                     table(arguments));
  return connection.answered(amqp_get_rpc_reply(connection.handle()), "consume " + stream);
}

}  // namespace tributary::rabbitmq
