/// Opening a database file by URL: sqlite:///absolute/path, sqlite:relative/path or a plain path.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "connectors/outbox/sqlite/place.h"
#include "connectors/outbox/sqlite/statement.h"

namespace tributary::sqlite {

struct CloseConnection {
  void operator()(sqlite3* connection) const;
};
using ConnectionHandle = std::unique_ptr<sqlite3, CloseConnection>;

struct OpenDatabase {
  ConnectionHandle connection;
  OpenFile file;
};

[[nodiscard]] std::string path_of(const std::string& url);

/// `busy` is how long a call waits for another writer. kFatal when the file is missing and must
/// not be created, or is no database.
[[nodiscard]] Result<ConnectionHandle> open_database(const std::string& url, bool create,
                                                     Millis busy);
/// Of a file that is there, with what is needed to notice that it is replaced.
[[nodiscard]] Result<OpenDatabase> open_present(const std::string& url, Millis busy);

}  // namespace tributary::sqlite
