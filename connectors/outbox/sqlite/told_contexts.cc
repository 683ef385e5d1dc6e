#include "connectors/outbox/sqlite/told_contexts.h"

#include <utility>

#include <sqlite3.h>

namespace tributary::sqlite {
namespace {

/// A step looks at many more than were told since the one before.
constexpr int kToldBetween = 16;

}  // namespace

Result<std::optional<std::int64_t>> store_context(const Fence& fence, std::string_view bytes) {
  TRIBUTARY_ASSIGN(Statement row,
                   fence.prepare("INSERT INTO tributary_told_context (id, bytes) "
                                 "SELECT random(), ?1 FROM tributary_context c "
                                 "WHERE NOT EXISTS (SELECT 1 FROM tributary_told_context t "
                                 "WHERE t.id = c.context_id AND t.bytes = ?1)"));
  TRIBUTARY_TRY(row.add_blob(bytes).run());
  if (sqlite3_changes(fence.connection()) == 0) return std::nullopt;
  return sqlite3_last_insert_rowid(fence.connection());
}

Result<std::optional<std::string>> read_context(const Fence& fence, std::int64_t id) {
  TRIBUTARY_ASSIGN(Statement row,
                   fence.prepare("SELECT bytes FROM tributary_told_context WHERE id = ?"));
  TRIBUTARY_ASSIGN(const bool found, row.add(id).step());
  if (!found) return std::nullopt;
  return std::string(row.bytes(0));
}

Result<void> ContextSweep::step(const Fence& fence) {
  if (++told_ < kToldBetween) return {};
  told_ = 0;
  TRIBUTARY_ASSIGN(Statement last,
                   fence.prepare("SELECT max(id) FROM (SELECT id FROM tributary_told_context "
                                 "WHERE id > ? ORDER BY id LIMIT 500)"));
  TRIBUTARY_TRY(last.add(after_).step());
  const bool through = last.null(0);
  const std::int64_t end = through ? kFirst : last.integer(0);
  last.reset();
  const std::int64_t begin = std::exchange(after_, end);
  if (through) return {};
  TRIBUTARY_ASSIGN(Statement gone,
                   fence.prepare("DELETE FROM tributary_told_context WHERE id > ? AND id <= ? "
                                 "AND id IS NOT (SELECT context_id FROM tributary_context) "
                                 "AND NOT EXISTS (SELECT 1 FROM tributary_outbox o "
                                 "WHERE o.context_id = tributary_told_context.id) "
                                 "AND NOT EXISTS (SELECT 1 FROM tributary_parked p "
                                 "WHERE p.context_id = tributary_told_context.id)"));
  return gone.add(begin).add(end).run();
}

}  // namespace tributary::sqlite
