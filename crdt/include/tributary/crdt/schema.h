/// Which keys have which type, how large things may be, and the check every change passes at write.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/crdt/change.h>
#include <tributary/crdt/type.h>

namespace tributary {

/// A key pattern and the type of the keys it matches. `*` stands for any run of bytes, `?` for one
/// byte; everything else for itself.
struct Keyspace {
  std::string pattern;
  std::string type;
  bool operator==(const Keyspace&) const = default;
};

/// No key with its value may be larger, whatever the limits: one batch must carry it, in one
/// message that every broker takes.
inline constexpr std::size_t kMaxChangeBytes = 4 * 1024 * 1024;

struct Limits {
  std::size_t key_bytes = 1024;
  std::size_t value_bytes = 1024 * 1024;  ///< of a field, a value or an element
  std::size_t transaction_changes = 100'000;
  std::size_t transaction_bytes = 16 * 1024 * 1024;  ///< of keys, fields, values and given contexts
  bool operator==(const Limits&) const = default;
};

struct Schema {
  std::vector<Keyspace> keyspaces;  ///< the first match wins
  Limits limits;
  bool operator==(const Schema&) const = default;
};

[[nodiscard]] bool matches(std::string_view pattern, std::string_view key);

/// The type of `key` by the first keyspace that matches; kInvalid when there is none.
[[nodiscard]] Result<const crdt::Type*> type_of(const Schema& schema, std::string_view key);

/// kInvalid unless `key` is a legal key: not empty, not too long, without NUL, and not one of
/// Tributary's own.
[[nodiscard]] Result<void> check_key(const Limits& limits, std::string_view key);

/// kInvalid, with a message for the writer, unless the key is legal, the type is the keyspace's,
/// the operation exists and its operands are present and within the limits.
[[nodiscard]] Result<void> check(const Schema& schema, const Change& change);

}  // namespace tributary
