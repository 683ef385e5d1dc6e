/// Plain SQL on a SQLite outbox, as another program would run it.
#pragma once

#include <cstdint>
#include <string>

#include <doctest/doctest.h>
#include <sqlite3.h>

namespace tributary::outbox_suite {

/// "ok", or the error's message.
class Shell {
 public:
  explicit Shell(const std::string& path) {
    REQUIRE(sqlite3_open(path.c_str(), &connection_) == SQLITE_OK);
    sqlite3_busy_timeout(connection_, 5000);
  }
  ~Shell() { sqlite3_close(connection_); }
  Shell(const Shell&) = delete;
  Shell& operator=(const Shell&) = delete;
  std::string run(const std::string& sql) const {
    const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? "ok" : sqlite3_errmsg(connection_);
  }
  std::string insert(const std::string& columns, const std::string& values) const {
    return run("INSERT INTO tributary_outbox (key, type, operation" + columns + ") VALUES (" +
               values + ")");
  }
  /// Of a query with one number.
  std::int64_t number(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
    REQUIRE(sqlite3_step(statement) == SQLITE_ROW);
    const std::int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
  }

 private:
  sqlite3* connection_ = nullptr;
};

}  // namespace tributary::outbox_suite
