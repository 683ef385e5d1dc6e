#include "connectors/outbox/postgres/vacuum.h"

#include <libpq-fe.h>

namespace tributary::postgres {
namespace {

constexpr std::size_t kWorthIt = 5000;
constexpr Millis kConnectDeadline{2000};

}  // namespace

bool Vacuum::running() {
  if (!sent_) return false;
  if (PQconsumeInput(connection_.get()) == 0) {
    connection_.reset();
    sent_ = false;
    return false;
  }
  while (PQisBusy(connection_.get()) == 0) {
    const ResultHandle result(PQgetResult(connection_.get()));
    if (result != nullptr) continue;
    sent_ = false;
    return false;
  }
  return true;
}

void Vacuum::deleted(std::size_t rows, bool calm) {
  dead_rows_ += rows;
  if (running() || !calm || dead_rows_ < kWorthIt) return;
  dead_rows_ = 0;
  if (connection_ == nullptr) {
    auto opened = connect(url_, "tributary-relay-vacuum", "", kConnectDeadline);
    if (!opened) return;
    connection_ = std::move(*opened);
  }
  sent_ = PQsendQuery(connection_.get(),
                      "VACUUM (SKIP_LOCKED, TRUNCATE FALSE) public.tributary_outbox") == 1;
  if (!sent_) connection_.reset();
}

}  // namespace tributary::postgres
