#include "connectors/outbox/sqlite/statement.h"

#include <sqlite3.h>

#include "base/check.h"

namespace tributary::sqlite {
namespace {

ErrorKind kind_of(int code) {
  if (code == SQLITE_READONLY_DBMOVED) return ErrorKind::kTransient;  // opened again, it will do
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_INTERRUPT:
    case SQLITE_PROTOCOL: return ErrorKind::kTransient;
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG: return ErrorKind::kInvalid;
    default: return ErrorKind::kFatal;
  }
}

std::string_view advice(int code) {
  if (code == SQLITE_BUSY_SNAPSHOT) {
    return "; the transaction began by reading, and somebody else has written since: ROLLBACK, "
           "and begin with BEGIN IMMEDIATE";
  }
  const int primary = code & 0xff;
  if (primary != SQLITE_CORRUPT && primary != SQLITE_NOTADB) return {};
  return "; if a backup was put in place, the -wal file of the file before may have stood beside "
         "it: stop the relay and the services, move the file, its -wal and its -shm aside, and "
         "put the backup in place once more";
}

}  // namespace

Error error_of(sqlite3* connection) {
  const int code = sqlite3_extended_errcode(connection);
  std::string message = "SQLite: " + std::string(sqlite3_errmsg(connection));
  if (message.find("no such table") != std::string::npos ||
      message.find("no such column") != std::string::npos) {
    message += "; the outbox tables are missing or old: run `tributary topology apply`";
  }
  message += advice(code);
  return Error{kind_of(code), message + " (code " + std::to_string(code) + ")"};
}

Result<void> execute(sqlite3* connection, const char* sql) {
  if (sqlite3_exec(connection, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return fail(error_of(connection));
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Statement> Statement::prepare(sqlite3* connection, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(connection, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK) {
    return fail(error_of(connection));
  }
  return Statement(raw);
}

Statement& Statement::add(std::int64_t value) {
  CHECK(sqlite3_bind_int64(statement_.get(), next_++, value) == SQLITE_OK);
  return *this;
}

Statement& Statement::add_text(std::string_view text) {
  const int done = sqlite3_bind_text64(statement_.get(), next_++, text.data(), text.size(),
                                       SQLITE_STATIC, SQLITE_UTF8);
  CHECK(done == SQLITE_OK || done == SQLITE_TOOBIG);
  return *this;
}

Statement& Statement::add_blob(std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  const int done =
      sqlite3_bind_blob64(statement_.get(), next_++, data, bytes.size(), SQLITE_STATIC);
  CHECK(done == SQLITE_OK || done == SQLITE_TOOBIG);
  return *this;
}

Statement& Statement::add_null() {
  CHECK(sqlite3_bind_null(statement_.get(), next_++) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  Error error = error_of(sqlite3_db_handle(statement_.get()));
  reset();
  return fail(std::move(error));
}

Result<void> Statement::run() {
  TRIBUTARY_TRY(step());
  reset();
  return {};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  next_ = 1;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const {
  // As UTF-8, whatever the database's encoding.
  const void* data = sqlite3_column_type(statement_.get(), column) == SQLITE_TEXT
                         ? static_cast<const void*>(sqlite3_column_text(statement_.get(), column))
                         : sqlite3_column_blob(statement_.get(), column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

Statement::Cell Statement::cell(int column) const {
  switch (sqlite3_column_type(statement_.get(), column)) {
    case SQLITE_NULL: return Cell::kNull;
    case SQLITE_INTEGER: return Cell::kInteger;
    case SQLITE_FLOAT: return Cell::kReal;
    case SQLITE_TEXT: return Cell::kText;
    default: return Cell::kBlob;
  }
}

bool Statement::null(int column) const { return cell(column) == Cell::kNull; }

double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

}  // namespace tributary::sqlite
