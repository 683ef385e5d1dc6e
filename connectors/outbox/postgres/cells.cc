#include "connectors/outbox/postgres/cells.h"

#include <algorithm>
#include <cstdlib>
#include <limits>

#include <libpq-fe.h>

#include "connectors/outbox/postgres/params.h"

namespace tributary::postgres {
namespace {

/// Digits of base 10,000; the first stands for 10,000 to the power of `weight`.
class Numeric {
 public:
  explicit Numeric(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] int digits() const { return word(0); }
  [[nodiscard]] int weight() const { return static_cast<std::int16_t>(word(1)); }
  [[nodiscard]] bool negative() const { return word(2) == 0x4000; }
  [[nodiscard]] bool finite() const { return word(2) == 0 || negative(); }
  [[nodiscard]] bool nan() const { return word(2) == 0xC000; }
  [[nodiscard]] bool infinite_below() const { return word(2) == 0xF000; }
  /// 0 before the first and behind the last.
  [[nodiscard]] int digit(int at) const { return at >= 0 && at < digits() ? word(4 + at) : 0; }

 private:
  [[nodiscard]] int word(int at) const {
    const auto place = static_cast<std::size_t>(at) * 2;
    if (place + 2 > bytes_.size()) return 0;
    return static_cast<unsigned char>(bytes_[place]) << 8 |
           static_cast<unsigned char>(bytes_[place + 1]);
  }

  std::string_view bytes_;
};

}  // namespace

std::string_view bytes_at(const PGresult* result, int row, int column) {
  return {PQgetvalue(result, row, column),
          static_cast<std::size_t>(PQgetlength(result, row, column))};
}

std::int64_t bigint_at(const PGresult* result, int row, int column) {
  return PQgetisnull(result, row, column) != 0 ? 0 : read_bigint(PQgetvalue(result, row, column));
}

std::uint64_t unsigned_at(const PGresult* result, int row, int column) {
  return static_cast<std::uint64_t>(bigint_at(result, row, column));
}

bool bool_at(const PGresult* result, int row, int column) {
  return *PQgetvalue(result, row, column) != 0;  // of NULL an empty string
}

bool null_at(const PGresult* result, int row, int column) {
  return PQgetisnull(result, row, column) != 0;
}

std::int64_t not_null_bigint_at(const PGresult* result, int row, int column) {
  return read_bigint(PQgetvalue(result, row, column));
}

std::optional<std::int64_t> read_integer(std::string_view numeric) {
  const Numeric number(numeric);
  if (!number.finite()) return std::nullopt;
  const int whole = std::max(0, number.weight() + 1);
  std::int64_t below = 0;  // negated: there is one more of these
  for (int i = 0; i < whole; ++i) {
    if (__builtin_mul_overflow(below, 10'000, &below)) return std::nullopt;
    if (__builtin_sub_overflow(below, number.digit(i), &below)) return std::nullopt;
  }
  for (int i = whole; i < number.digits(); ++i) {
    if (number.digit(i) != 0) return std::nullopt;
  }
  if (number.negative()) return below;
  if (below == std::numeric_limits<std::int64_t>::min()) return std::nullopt;
  return -below;
}

std::string numeric_text(std::string_view numeric) {
  constexpr std::size_t kShown = 40;
  const Numeric number(numeric);
  if (number.nan()) return "NaN";
  if (!number.finite()) return number.infinite_below() ? "-Infinity" : "Infinity";
  std::string text = number.negative() ? "-" : "";
  const int first = std::max(0, number.weight());
  const int last = std::min(0, number.weight() - number.digits() + 1);
  for (int power = first; power >= last && text.size() < kShown; --power) {
    if (power == -1) text += '.';
    const std::string group = std::to_string(10'000 + number.digit(number.weight() - power));
    text += power == first ? std::to_string(std::stoi(group.substr(1))) : group.substr(1);
  }
  if (last < 0 && text.size() < kShown) text.erase(text.find_last_not_of('0') + 1);
  return text;
}

std::string text_at(const PGresult* result, int row, int column) {
  return std::string(bytes_at(result, row, column));
}

std::optional<ActorId> actor_at(const PGresult* result, int row, int column) {
  if (PQgetisnull(result, row, column) != 0) return std::nullopt;
  return ActorId{unsigned_at(result, row, column)};
}

std::uint64_t affected(const PGresult* result) {
  return std::strtoull(PQcmdTuples(const_cast<PGresult*>(result)), nullptr, 10);
}

}  // namespace tributary::postgres
