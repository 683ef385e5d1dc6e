#include "connectors/outbox/sqlite/producer_session.h"

#include <sqlite3.h>

#include <tributary/outbox/sqlite.h>

#include "connectors/outbox/sqlite/database.h"

namespace tributary::sqlite {
namespace {

class Session final : public ProducerSession {
 public:
  Session(ConnectionHandle connection, std::unique_ptr<OutboxConnection> outbox)
      : connection_(std::move(connection)), outbox_(std::move(outbox)) {}

  /// Takes the write lock at once, so that waiting for it happens here and nowhere later.
  Result<void> begin() override { return execute(connection_.get(), "BEGIN IMMEDIATE"); }
  OutboxConnection& outbox() override { return *outbox_; }
  Result<bool> rollback() override {
    if (sqlite3_get_autocommit(connection_.get()) != 0) return false;
    TRIBUTARY_TRY(execute(connection_.get(), "ROLLBACK"));
    return true;
  }

 private:
  ConnectionHandle connection_;
  std::unique_ptr<OutboxConnection> outbox_;
};

}  // namespace

Result<std::unique_ptr<ProducerSession>> open_producer_session(const std::string& url,
                                                               Millis busy) {
  TRIBUTARY_ASSIGN(ConnectionHandle connection, open_database(url, false, busy));
  TRIBUTARY_ASSIGN(auto outbox, open_outbox(connection.get()));
  return std::make_unique<Session>(std::move(connection), std::move(outbox));
}

}  // namespace tributary::sqlite
