/// One CRDT operation on one key, as a service writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <tributary/crdt/version_vector.h>

namespace tributary {

/// Build it with the functions of a type's header, e.g. counter::add("stock:1", -3), or by names.
struct Change {
  std::string key = {};        ///< the Redis key readers will see
  std::string type = {};       ///< registered type name: "counter", "register", "set", …
  std::string operation = {};  ///< one of the type's operations: "add", "remove", …
  std::string field = {};      ///< field or member, for the operations that take one
  std::string value = {};      ///< value or element, for the operations that take one
  std::int64_t amount = 0;     ///< for the operations that take one
  /// What the writer had seen, from a `read`; absent: its region's watermark at the write.
  std::optional<VersionVector> context = std::nullopt;
};

}  // namespace tributary
