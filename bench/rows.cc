#include "bench/rows.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include <libpq-fe.h>

namespace tributary::bench {
namespace {

constexpr std::size_t kHeaderBytes = 19;  // signature, flags, length of the extension (0)
constexpr std::string_view kSignature("PGCOPY\n\377\r\n\0", 11);
constexpr std::string_view kTrailer("\377\377", 2);

// Columns of tributary_outbox.
constexpr std::size_t kColumns = 13;
constexpr std::size_t kAmount = 3;
constexpr std::size_t kKey = 5;
constexpr std::size_t kValue = 9;

[[noreturn]] void fail_with(PGconn* connection) {
  throw std::runtime_error(std::string("postgres: ") + PQerrorMessage(connection));
}

template <typename Integer>
Integer take_number(std::string_view& bytes) {
  Integer value;
  if (bytes.size() < sizeof value) throw std::runtime_error("a row is cut short");
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  if constexpr (sizeof value == 2)
    return static_cast<Integer>(__builtin_bswap16(std::bit_cast<std::uint16_t>(value)));
  else return static_cast<Integer>(__builtin_bswap32(std::bit_cast<std::uint32_t>(value)));
}

}  // namespace

void CloseDatabase::operator()(PGconn* connection) const { PQfinish(connection); }

RowSource::RowSource(const std::string& url, std::string table)
    : connection_(PQconnectdb(url.c_str())), table_(std::move(table)) {
  if (PQstatus(connection_.get()) != CONNECTION_OK) fail_with(connection_.get());
}

void RowSource::start() {
  const std::string sql = "COPY " + table_ + " TO STDOUT (FORMAT binary)";
  PGresult* result = PQexec(connection_.get(), sql.c_str());
  const bool copying = PQresultStatus(result) == PGRES_COPY_OUT;
  PQclear(result);
  if (!copying) fail_with(connection_.get());
}

bool RowSource::next(std::string& out) {
  char* raw = nullptr;
  const int size = PQgetCopyData(connection_.get(), &raw, 0);
  if (size == -1) return false;
  if (size < 0) fail_with(connection_.get());
  const std::unique_ptr<char, void (*)(void*)> owner(raw, PQfreemem);
  std::string_view row(raw, static_cast<std::size_t>(size));
  if (first_ && row.starts_with(kSignature)) row.remove_prefix(kHeaderBytes);
  first_ = false;
  if (row == kTrailer) return next(out);
  out.append(row);
  return true;
}

std::optional<RowView> take_row(std::string_view& rows) {
  if (rows.empty()) return std::nullopt;
  if (take_number<std::int16_t>(rows) != static_cast<std::int16_t>(kColumns)) {
    throw std::runtime_error("tributary_outbox has other columns than the benchmark knows");
  }
  std::array<std::string_view, kColumns> columns;
  for (std::string_view& column : columns) {
    const auto size = take_number<std::int32_t>(rows);
    if (size < 0) continue;
    column = rows.substr(0, static_cast<std::size_t>(size));
    rows.remove_prefix(column.size());
  }
  const std::string_view value = columns[kValue];
  return RowView{columns[kKey], value.data() == nullptr ? columns[kAmount] : value};
}

}  // namespace tributary::bench
