#include "connectors/outbox/sqlite/origin_row.h"

#include <algorithm>

#include <sqlite3.h>

#include "base/clock.h"

namespace tributary::sqlite {
namespace {

constexpr Micros kCheckTime{10'000'000};  ///< no more than that is checked

int stop_when_late(void* until) {
  return SystemClock().monotonic() > *static_cast<const Micros*>(until) ? 1 : 0;
}

/// A file that was put in place beside the write-ahead log of the one before is a mix of both.
Result<void> check_replaced(const Fence& fence, const OpenFile& file, const std::string& place) {
  TRIBUTARY_ASSIGN(Statement before, fence.prepare("SELECT place FROM tributary_origin"));
  TRIBUTARY_ASSIGN(const bool known, before.step());
  if (!known || !is_replacement(std::string(before.bytes(0)), place)) return {};
  before.reset();
  Micros until = SystemClock().monotonic() + kCheckTime;
  sqlite3_progress_handler(fence.connection(), 10'000, stop_when_late, &until);
  std::string said = "ok";
  auto row = fence.prepare("PRAGMA quick_check(1)");
  const auto found = row ? row->step() : Result<bool>(fail(row.error()));
  if (found && *found) said = row->bytes(0);
  sqlite3_progress_handler(fence.connection(), 0, nullptr, nullptr);
  if (!found && found.error().kind != ErrorKind::kTransient) return fail(found.error());
  if (said == "ok") return {};
  return fail(ErrorKind::kFatal,
              "SQLite file " + file.path() + " was replaced and is damaged (" + said +
                  "); a -wal file of the file before may have stood beside it: stop the relay " +
                  "and the services, move the file, its -wal and its -shm aside, and put the " +
                  "backup in place once more");
}

Result<OriginRecord> read_record(const Fence& fence, const OriginName& origin) {
  TRIBUTARY_ASSIGN(Statement row,
                   fence.prepare("SELECT o.name, actor, identity, generation, head_seq, o.hlc, "
                                 "leader_epoch, confirmed_seq, totals_seq, c.hlc, c.told, "
                                 "history, former_history "
                                 "FROM tributary_origin o, tributary_context c"));
  TRIBUTARY_ASSIGN(const bool found, row.step());
  if (!found) return fail(no_origin());
  OriginRecord record{.name = origin,
                      .actor = std::nullopt,
                      .identity = std::string(row.bytes(2)),
                      .current_identity = std::string(row.bytes(3)),
                      .head_seq = Seq{row.unsigned_integer(4)},
                      .hlc = Hlc{row.unsigned_integer(5)},
                      .leader_epoch = row.unsigned_integer(6),
                      .confirmed_seq = Seq{row.unsigned_integer(7)},
                      .totals_seq = Seq{row.unsigned_integer(8)},
                      .context_hlc = Hlc{row.unsigned_integer(9)},
                      .history = {row.unsigned_integer(11)},
                      .former_history = {row.unsigned_integer(12)}};
  if (!row.null(1)) record.actor = ActorId{row.unsigned_integer(1)};
  if (record.context_hlc > kMaxHlc) record.context_hlc = Hlc{};
  record.told = VersionVector::from_bytes(row.bytes(10)).value_or(VersionVector{});
  return record;
}

Result<void> raise_epoch(const Fence& fence, const OriginName& origin, const std::string& place) {
  TRIBUTARY_ASSIGN(Statement row, fence.prepare("SELECT name, place FROM tributary_origin"));
  TRIBUTARY_ASSIGN(const bool found, row.step());
  if (!found) return fail(no_origin());
  if (row.bytes(0) != origin.value) {
    return fail(ErrorKind::kFatal, "the database is the outbox of origin \"" +
                                       std::string(row.bytes(0)) + "\": correct the URL");
  }
  const bool copy = is_copy(std::string(row.bytes(1)), place);
  row.reset();
  TRIBUTARY_ASSIGN(Statement raise,
                   fence.prepare("UPDATE tributary_origin SET leader_epoch = leader_epoch + 1, "
                                 "place = ?, generation = CASE WHEN ? "
                                 "THEN lower(hex(randomblob(8))) ELSE generation END"));
  return raise.add_text(place).add(std::int64_t{copy}).run();
}

}  // namespace

Result<OriginRecord> take_lead(Fence& fence, const OriginName& origin, const OpenFile& file) {
  TRIBUTARY_TRY(file.check());
  const std::string place = file.place();
  TRIBUTARY_TRY(check_replaced(fence, file, place));
  OriginRecord record;
  const auto raised = fence.leading([&]() -> Result<void> {
    TRIBUTARY_TRY(raise_epoch(fence, origin, place));
    TRIBUTARY_ASSIGN(record, read_record(fence, origin));
    TRIBUTARY_ASSIGN(record.former, former_actors(fence));
    return {};
  });
  TRIBUTARY_TRY(raised);
  return record;
}

Result<void> mint(Fence& fence, const Minting& minting) {
  return fence.fenced([&]() -> Result<void> {
    TRIBUTARY_ASSIGN(Statement former,
                     fence.prepare("INSERT INTO tributary_actor (actor, final_seq) VALUES (?, ?) "
                                   "ON CONFLICT (actor) DO UPDATE SET "
                                   "final_seq = excluded.final_seq"));
    for (const FormerActor& each : minting.former) {
      TRIBUTARY_TRY(former.add(each.actor.value).add(each.final_seq.value).run());
    }
    TRIBUTARY_ASSIGN(Statement now, fence.prepare("SELECT hlc FROM tributary_origin"));
    TRIBUTARY_TRY(now.step());
    const Hlc hlc = std::max(Hlc{now.unsigned_integer(0)}, minting.hlc);
    now.reset();
    TRIBUTARY_ASSIGN(Statement origin,
                     fence.prepare("UPDATE tributary_origin SET actor = ?, hlc = ?, "
                                   "identity = generation, head_seq = 0, confirmed_seq = 0, "
                                   "totals_seq = 0, swept_key = '', swept_field = x'', "
                                   "history = 0, former_history = ?"));
    origin.add(minting.actor.value).add(hlc.value).add(minting.former_history.value);
    return origin.run();
  });
}

Result<std::vector<FormerActor>> former_actors(const Fence& fence) {
  std::vector<FormerActor> former;
  TRIBUTARY_ASSIGN(Statement row, fence.prepare("SELECT actor, final_seq FROM tributary_actor "
                                                "ORDER BY position"));
  while (true) {
    TRIBUTARY_ASSIGN(const bool found, row.step());
    if (!found) return former;
    former.push_back({ActorId{row.unsigned_integer(0)}, Seq{row.unsigned_integer(1)}});
  }
}

}  // namespace tributary::sqlite
