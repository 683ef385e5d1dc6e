/// One prepared statement, and SQLite's errors in our words.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <tributary/base/result.h>

extern "C" {
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;
}

namespace tributary::sqlite {

/// kTransient when the database is busy, full or its disk fails; kInvalid when a constraint or a
/// trigger refuses; kFatal else.
[[nodiscard]] Error error_of(sqlite3* connection);

/// Runs statements that give no rows.
Result<void> execute(sqlite3* connection, const char* sql);

/// Not thread-safe; must not outlive its connection.
class Statement {
 public:
  [[nodiscard]] static Result<Statement> prepare(sqlite3* connection, std::string_view sql);

  /// Parameters in order; views must stay valid until the next reset(). Call reset() first.
  Statement& add(std::int64_t value);
  Statement& add(std::uint64_t value) { return add(static_cast<std::int64_t>(value)); }
  Statement& add_text(std::string_view text);
  Statement& add_blob(std::string_view bytes);
  Statement& add_null();

  /// True: a row can be read. False: done, and reset.
  Result<bool> step();
  /// step(), for statements that give no row.
  Result<void> run();
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t unsigned_integer(int column) const {
    return static_cast<std::uint64_t>(integer(column));
  }
  /// Of text and blobs; valid until the next step() or reset().
  [[nodiscard]] std::string_view bytes(int column) const;
  [[nodiscard]] bool null(int column) const;
  [[nodiscard]] double real(int column) const;
  /// What a column holds, whatever type it was declared with. Ask before anything else.
  enum class Cell { kNull, kInteger, kReal, kText, kBlob };
  [[nodiscard]] Cell cell(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_ = 1;
};

}  // namespace tributary::sqlite
