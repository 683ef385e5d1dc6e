/// A set in which an add wins over a concurrent remove: ORSWOT without tombstones (Bieniusa et al.,
/// "An optimized conflict-free replicated set", 2012), plus deferred removes.
///
/// A remove drops those dots of an element that its context covers. For actors whose context entry
/// is ahead of the replica's watermark the remainder is kept as a deferred remove, so that a late
/// add the remover had already seen does not come back; it goes once the watermark has caught up.
/// A clear is the same for all elements at once.
///
/// State fields: "m" holds the key's clock (actor -> last seq joined), the deferred clear and the
/// names of elements with deferred removes; "e" + element holds its dots and deferred removes.
/// View: a set.
#pragma once

#include <optional>
#include <string>

#include <tributary/crdt/change.h>

namespace tributary::set {

[[nodiscard]] inline Change add(std::string key, std::string element) {
  return {.key = std::move(key), .type = "set", .operation = "add", .value = std::move(element)};
}

/// Removes what `context` (default: the region's watermark at the write) covers of the element.
[[nodiscard]] inline Change remove(std::string key, std::string element,
                                   std::optional<VersionVector> context = std::nullopt) {
  return {.key = std::move(key),
          .type = "set",
          .operation = "remove",
          .value = std::move(element),
          .context = std::move(context)};
}

[[nodiscard]] inline Change clear(std::string key,
                                  std::optional<VersionVector> context = std::nullopt) {
  return {
      .key = std::move(key), .type = "set", .operation = "clear", .context = std::move(context)};
}

}  // namespace tributary::set
