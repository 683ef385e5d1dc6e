#include "connectors/outbox/sqlite/fence.h"

#include <sqlite3.h>

namespace tributary::sqlite {

Error no_origin() {
  return Error{ErrorKind::kFatal, "the database has no origin: run `tributary topology apply`"};
}

Result<LeadMark> Fence::read(std::string_view sql) const {
  TRIBUTARY_ASSIGN(Statement row, prepare(sql));
  TRIBUTARY_ASSIGN(const bool found, row.step());
  if (!found) return fail(no_origin());
  return LeadMark{row.unsigned_integer(0), ActorId{row.unsigned_integer(1)},
                  Seq{row.unsigned_integer(2)}, row.integer(3)};
}

Result<void> Fence::check() const {
  TRIBUTARY_ASSIGN(const LeadMark found, read("SELECT leader_epoch, coalesce(actor, 0), head_seq, "
                                              "stamp FROM tributary_origin"));
  if (lead.epoch == 0 || found.epoch > lead.epoch) {
    return fail(ErrorKind::kConflict, "another relay leads this origin now");
  }
  if (found == lead) return {};
  return fail(ErrorKind::kConflict,
              "the database is not as this relay left it: it was put back to another state");
}

Result<LeadMark> Fence::stamp() const {
  return read(
      "UPDATE tributary_origin SET stamp = random() "
      "RETURNING leader_epoch, coalesce(actor, 0), head_seq, stamp");
}

Result<void> Fence::sync() const {
  sqlite3_file* log = nullptr;
  const int found = sqlite3_file_control(connection_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  const bool open = found == SQLITE_OK && log != nullptr && log->pMethods != nullptr;
  if (open && log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) == SQLITE_OK) return {};
  return fail(ErrorKind::kTransient, "the database's write-ahead log cannot be synced to the disk");
}

void Fence::roll_back() const {
  // A failed ROLLBACK leaves nothing open: SQLite has rolled back by itself then.
  if (sqlite3_get_autocommit(connection_) == 0) {
    static_cast<void>(execute(connection_, "ROLLBACK"));
  }
}

}  // namespace tributary::sqlite
