/// Rows of tributary_outbox in PostgreSQL's binary COPY format, and how bench_floor reads them.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

extern "C" {
typedef struct pg_conn PGconn;
}

namespace tributary::bench {

struct CloseDatabase {
  void operator()(PGconn* connection) const;
};

/// COPY table TO STDOUT (FORMAT binary). One thread. Failures throw std::runtime_error.
class RowSource {
 public:
  RowSource(const std::string& url, std::string table);
  void start();
  /// Appends the next row to `out` as it came; false at the end.
  bool next(std::string& out);

 private:
  std::unique_ptr<PGconn, CloseDatabase> connection_;
  std::string table_;
  bool first_ = true;
};

struct RowView {
  std::string_view key;
  std::string_view value;  ///< the value, or the amount's eight bytes where there is none
};

/// Takes the first row off `rows`; nullopt when there is none left.
[[nodiscard]] std::optional<RowView> take_row(std::string_view& rows);

}  // namespace tributary::bench
