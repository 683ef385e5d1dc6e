#include "connectors/outbox/postgres/producer_session.h"

#include <libpq-fe.h>

#include <tributary/outbox/postgres.h>

#include "connectors/outbox/postgres/session.h"

namespace tributary::postgres {
namespace {

class Session final : public ProducerSession {
 public:
  Session(ConnectionHandle connection, std::unique_ptr<OutboxConnection> outbox)
      : connection_(std::move(connection)), outbox_(std::move(outbox)) {}

  Result<void> begin() override {
    TRIBUTARY_TRY(run(connection_.get(), "BEGIN"));
    return {};
  }
  OutboxConnection& outbox() override { return *outbox_; }
  Result<bool> rollback() override {
    if (PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) return false;
    TRIBUTARY_TRY(run(connection_.get(), "ROLLBACK"));
    return true;
  }

 private:
  ConnectionHandle connection_;
  std::unique_ptr<OutboxConnection> outbox_;
};

}  // namespace

Result<std::unique_ptr<ProducerSession>> open_producer_session(const std::string& url,
                                                               Millis deadline) {
  TRIBUTARY_ASSIGN(ConnectionHandle connection, connect(url, "tributary-write", "", deadline));
  TRIBUTARY_ASSIGN(auto outbox, open_outbox(connection.get()));
  return std::make_unique<Session>(std::move(connection), std::move(outbox));
}

}  // namespace tributary::postgres
