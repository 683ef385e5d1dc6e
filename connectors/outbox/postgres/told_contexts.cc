#include "connectors/outbox/postgres/told_contexts.h"

#include <unordered_set>
#include <utility>

#include <libpq-fe.h>

#include "connectors/outbox/postgres/cells.h"
#include "connectors/outbox/postgres/statements.h"

namespace tributary::postgres {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 20;  ///< kept from one seal to the next
constexpr std::size_t kOwnBytes = 64;                     ///< of an entry, beside the context

}  // namespace

// NOLINTNEXTLINE(performance-unnecessary-value-param): try_emplace moves it
void ToldContexts::told(std::int64_t id, std::string bytes) {
  const std::size_t size = bytes.size() + kOwnBytes;
  if (known_.try_emplace(id, std::move(bytes)).second) bytes_ += size;
}

void ToldContexts::trim() {
  if (bytes_ <= kMostBytes) return;
  known_.clear();
  bytes_ = 0;
}

Result<void> ToldContexts::read(Pipeline& pipeline, std::span<const NamedContext> named) {
  std::unordered_set<std::int64_t> missing;
  ArrayParam ids(SqlType::kBigint);
  for (const NamedContext& each : named) {
    if (!known_.contains(each.id) && missing.insert(each.id).second) ids.add(each.id);
  }
  if (missing.empty()) return {};
  pipeline.queue(statements::kContexts, Params().add(ids.finish()));
  TRIBUTARY_ASSIGN(const auto results, pipeline.flush());
  const PGresult* const found = results[0].get();
  for (int row = 0; row < PQntuples(found); ++row) {
    told(bigint_at(found, row, 0), std::string(bytes_at(found, row, 1)));
  }
  return {};
}

Result<void> ToldContexts::fill(Pipeline& pipeline, std::span<const NamedContext> named,
                                std::span<OutboxRow> rows) {
  TRIBUTARY_TRY(read(pipeline, named));
  for (const NamedContext& each : named) {
    if (const auto context = known_.find(each.id); context != known_.end()) {
      rows[each.row].context = context->second;
    } else {
      rows[each.row].odd = unknown_context(each.id);
    }
  }
  return {};
}

}  // namespace tributary::postgres
