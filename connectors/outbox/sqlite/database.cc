#include "connectors/outbox/sqlite/database.h"

#include <utility>

#include <sqlite3.h>

namespace tributary::sqlite {

void CloseConnection::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

std::string path_of(const std::string& url) {
  for (const std::string_view prefix : {"sqlite://", "sqlite:"}) {
    if (url.starts_with(prefix)) return url.substr(prefix.size());
  }
  return url;
}

Result<ConnectionHandle> open_database(const std::string& url, bool create, Millis busy) {
  const std::string path = path_of(url);
  const int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  ConnectionHandle connection(raw);
  if (code != SQLITE_OK) {
    const std::string why = raw == nullptr ? "out of memory" : sqlite3_errmsg(raw);
    return fail(ErrorKind::kFatal, "SQLite file " + path + ": " + why +
                                       (create ? "; is its folder there and writable?"
                                               : "; run `tributary topology apply` to create it"));
  }
  sqlite3_busy_timeout(raw, static_cast<int>(busy.count()));
  return connection;
}

Result<OpenDatabase> open_present(const std::string& url, Millis busy) {
  const std::string path = path_of(url);
  const auto before = file_at(path);
  TRIBUTARY_ASSIGN(ConnectionHandle connection, open_database(url, false, busy));
  const char* real = sqlite3_db_filename(connection.get(), "main");
  const auto id = file_at(path);
  if (!before || !id || before != id || real == nullptr) {
    return fail(ErrorKind::kTransient,
                "SQLite file " + path + ": the file was replaced while it was being opened");
  }
  return OpenDatabase{std::move(connection), OpenFile(path, real, *id)};
}

}  // namespace tributary::sqlite
