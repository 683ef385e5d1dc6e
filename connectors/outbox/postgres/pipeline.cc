#include "connectors/outbox/postgres/pipeline.h"

#include <cerrno>
#include <optional>
#include <string>

#include <libpq-fe.h>
#include <poll.h>

namespace tributary::postgres {

Result<Pipeline> Pipeline::open(ConnectionHandle connection, Millis deadline) {
  if (PQsetnonblocking(connection.get(), 1) != 0 || PQenterPipelineMode(connection.get()) != 1) {
    return fail(broken(connection.get()));
  }
  return Pipeline(std::move(connection), deadline);
}

void Pipeline::queue(const Statement& statement, const Params& params) {
  if (dead() || send_failed_) return;
  PGconn* const raw = connection_.get();
  if (prepared_.insert(statement.name).second) {
    send_failed_ = PQsendPrepare(raw, statement.name, statement.sql, 0, nullptr) != 1;
    sent_.push_back({&statement, true});
  }
  if (send_failed_) return;
  send_failed_ = PQsendQueryPrepared(raw, statement.name, params.count(), params.values(),
                                     params.lengths(), params.formats(), 1) != 1;
  sent_.push_back({&statement, false});
}

Result<void> Pipeline::await(Millis deadline) {
  const SystemClock clock;
  PGconn* const raw = connection_.get();
  Micros until = clock.monotonic() + deadline;
  while (true) {
    const int unsent = PQflush(raw);
    if (unsent < 0) return fail(broken(raw));
    if (unsent == 0 && PQisBusy(raw) == 0) return {};
    const Millis left = std::chrono::duration_cast<Millis>(until - clock.monotonic());
    if (left.count() <= 0) {
      return fail(ErrorKind::kTransient,
                  "PostgreSQL did not answer within " + std::to_string(deadline.count()) + " ms");
    }
    const auto events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    pollfd wanted{PQsocket(raw), events, 0};
    const int ready = poll(&wanted, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) {
      return fail(ErrorKind::kTransient, "waiting for PostgreSQL failed");
    }
    if (ready <= 0) continue;
    if ((wanted.revents & (POLLIN | POLLERR | POLLHUP)) != 0 && PQconsumeInput(raw) != 1) {
      return fail(broken(raw));
    }
    until = clock.monotonic() + deadline;  // bytes have moved
  }
}

void Pipeline::accept(ResultHandle result, std::vector<ResultHandle>& results,
                      std::optional<Error>& failure) {
  const Sent& sent = sent_[answered_++];
  const ExecStatusType status = PQresultStatus(result.get());
  const bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
  if (!ok && sent.preparing) prepared_.erase(sent.statement->name);
  if (ok && !sent.preparing) results.push_back(std::move(result));
  else if (!ok && status != PGRES_PIPELINE_ABORTED && !failure) {
    failure = error_of(result.get(), connection_.get());
  }
}

Result<std::vector<ResultHandle>> Pipeline::collect(Millis deadline) {
  std::vector<ResultHandle> results;
  std::optional<Error> failure;
  while (true) {
    TRIBUTARY_TRY(await(deadline));
    ResultHandle result(PQgetResult(connection_.get()));
    if (result == nullptr) {  // the end of one statement's results
      if (PQstatus(connection_.get()) == CONNECTION_BAD) return fail(broken(connection_.get()));
      continue;
    }
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_SYNC) break;
    if (answered_ >= sent_.size()) return fail(error_of(result.get(), connection_.get()));
    accept(std::move(result), results, failure);
  }
  if (failure) return fail(std::move(*failure));
  return results;
}

Result<std::vector<ResultHandle>> Pipeline::flush(Millis deadline) {
  if (dead()) {
    return fail(ErrorKind::kTransient, "the connection to PostgreSQL was lost: open a new one");
  }
  auto outcome = [&]() -> Result<std::vector<ResultHandle>> {
    if (send_failed_ || PQpipelineSync(connection_.get()) != 1) {
      return fail(broken(connection_.get()));
    }
    return collect(deadline);
  }();
  const bool in_step = answered_ == sent_.size() && !send_failed_;
  sent_.clear();
  answered_ = 0;
  if (!outcome && (!in_step || PQstatus(connection_.get()) == CONNECTION_BAD)) close();
  return outcome;
}

}  // namespace tributary::postgres
