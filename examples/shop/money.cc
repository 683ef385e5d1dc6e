#include "money.h"

#include <algorithm>

namespace shop {
namespace {

constexpr std::size_t kMostDigits = 7;

bool digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::int64_t number(std::string_view text) {
  std::int64_t value = 0;
  for (const char digit : text) value = value * 10 + (digit - '0');
  return value;
}

}  // namespace

std::optional<std::int64_t> parse_price(std::string_view text) {
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  if (whole.empty() || whole.size() > kMostDigits || !digits(whole)) return std::nullopt;
  if (point == std::string_view::npos) return number(whole) * 100;
  const std::string_view cents = text.substr(point + 1);
  if (cents.empty() || cents.size() > 2 || !digits(cents)) return std::nullopt;
  return number(whole) * 100 + number(cents) * (cents.size() == 1 ? 10 : 1);
}

std::string format_price(std::int64_t cents) {
  const std::string rest = std::to_string(cents % 100);
  return std::to_string(cents / 100) + (rest.size() == 1 ? ".0" : ".") + rest;
}

}  // namespace shop
