#include <algorithm>
#include <limits>

#include <tributary/base/bytes.h>
#include <tributary/crdt/schema.h>

namespace tributary {
namespace {

constexpr std::string_view kReserved = "tributary:";

/// For a message: control characters escaped, never cut within a character.
std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 80;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t end = std::min(text.size(), kShown);
  while (end > 0 && end < text.size() && (byte(end) & 0xc0) == 0x80) --end;
  std::string out = "\"";
  for (std::size_t i = 0; i < end; ++i) {
    const unsigned char c = byte(i);
    if (c >= 0x20 && c != 0x7f) out.push_back(text[i]);
    else out.append("\\x").append(hex_of(text.substr(i, 1)));
  }
  return out + (end < text.size() ? "…\"" : "\"");
}

Result<void> check_size(const Limits& limits, const Change& change, std::string_view what,
                        std::string_view bytes) {
  if (bytes.size() <= limits.value_bytes) return {};
  return fail(ErrorKind::kInvalid, std::string(what) + " of key " + quoted(change.key) + " has " +
                                       std::to_string(bytes.size()) + " bytes, the limit is " +
                                       std::to_string(limits.value_bytes) +
                                       " (limits.value_bytes)");
}

Result<void> check_operands(const crdt::Operation& operation, const Change& change) {
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorKind::kInvalid, "operation \"" + change.operation + "\" on key " +
                                         quoted(change.key) + ": " + std::string(why));
  };
  if (!takes_value(operation.operand) && !change.value.empty()) return refuse("it takes no value");
  if (!takes_field(operation.operand) && !change.field.empty()) return refuse("it takes no field");
  if (!takes_amount(operation.operand) && change.amount != 0) return refuse("it takes no amount");
  if (operation.accumulates && change.amount == std::numeric_limits<std::int64_t>::min()) {
    return refuse("the amount is below -9223372036854775807, the counter would overflow");
  }
  return {};
}

}  // namespace

Result<void> check_key(const Limits& limits, std::string_view key) {
  if (key.empty()) return fail(ErrorKind::kInvalid, "the key is empty: give a Redis key");
  if (key.size() > limits.key_bytes) {
    return fail(ErrorKind::kInvalid, "key " + quoted(key) + " has " + std::to_string(key.size()) +
                                         " bytes, the limit is " +
                                         std::to_string(limits.key_bytes) + " (limits.key_bytes)");
  }
  if (key.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, "key " + quoted(key) + " holds a NUL byte: leave it out");
  }
  if (key.starts_with(kReserved)) {
    return fail(ErrorKind::kInvalid, "key " + quoted(key) +
                                         ": keys that start with \"tributary:\" " +
                                         "hold Tributary's own state, choose another prefix");
  }
  return {};
}

bool matches(std::string_view pattern, std::string_view key) {
  std::size_t p = 0;
  std::size_t k = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (k < key.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      if (p == pattern.size()) return true;
      resume = k;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == key[k])) {
      ++p;
      ++k;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      k = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Result<const crdt::Type*> type_of(const Schema& schema, std::string_view key) {
  for (const Keyspace& keyspace : schema.keyspaces) {
    if (!matches(keyspace.pattern, key)) continue;
    if (const crdt::Type* type = crdt::find_type(keyspace.type)) return type;
    return fail(ErrorKind::kInvalid, "keyspace \"" + keyspace.pattern + "\" names the type \"" +
                                         keyspace.type + "\", which does not exist");
  }
  return fail(ErrorKind::kInvalid, "no keyspace matches key " + quoted(key) +
                                       ": add a pattern for it under keyspaces in the topology");
}

Result<void> check(const Schema& schema, const Change& change) {
  TRIBUTARY_TRY(check_key(schema.limits, change.key));
  const crdt::Type* named = crdt::find_type(change.type);
  if (named == nullptr) {
    std::string known;
    for (const crdt::Type* type : crdt::types()) {
      known.append(known.empty() ? "" : ", ").append(type->name);
    }
    return fail(ErrorKind::kInvalid, "key " + quoted(change.key) + ": there is no type \"" +
                                         change.type + "\"; the types are " + known);
  }
  TRIBUTARY_ASSIGN(const crdt::Type* type, type_of(schema, change.key));
  if (type != named) {
    return fail(ErrorKind::kInvalid, "key " + quoted(change.key) + " is a " +
                                         std::string(type->name) + " by its keyspace, not a " +
                                         change.type);
  }
  const crdt::Operation* operation = crdt::find_operation(*type, change.operation);
  if (operation == nullptr) {
    std::string known;
    for (const crdt::Operation& each : type->operations) {
      known.append(known.empty() ? "" : ", ").append(each.name);
    }
    return fail(ErrorKind::kInvalid, "key " + quoted(change.key) + ": a " + change.type +
                                         " has no operation \"" + change.operation + "\"; it has " +
                                         known);
  }
  TRIBUTARY_TRY(check_operands(*operation, change));
  TRIBUTARY_TRY(check_size(schema.limits, change, "the field", change.field));
  return check_size(schema.limits, change, "the value", change.value);
}

}  // namespace tributary
