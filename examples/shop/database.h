/// The shop's own way to talk to PostgreSQL: one connection, statements with text parameters.
/// Nothing here knows of Tributary; a real service has this already, by whatever name.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include <tributary/base/result.h>

extern "C" {
typedef struct pg_conn PGconn;
}

namespace shop {

using tributary::Result;

/// A result's rows and columns as text; NULL is an empty string.
using Rows = std::vector<std::vector<std::string>>;

/// One thread.
class Database {
 public:
  /// kTransient when the server cannot be reached.
  [[nodiscard]] static Result<Database> connect(const std::string& url);

  /// Runs one statement with $1, $2 … or, without parameters, several. kTransient when the
  /// connection broke or the server asks to try again; kInvalid when it refused the statement.
  [[nodiscard]] Result<Rows> run(const std::string& sql,
                                 std::initializer_list<std::string> parameters = {});
  /// Ends the open transaction, if there is one, without effect.
  void roll_back();

  [[nodiscard]] PGconn* get() const { return connection_.get(); }

 private:
  struct Close {
    void operator()(PGconn* connection) const;
  };
  explicit Database(PGconn* connection) : connection_(connection) {}

  std::unique_ptr<PGconn, Close> connection_;
};

}  // namespace shop
