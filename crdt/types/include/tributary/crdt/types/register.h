/// A register: the last writer wins by (hlc, actor, seq). A clear is a write of "no value".
///
/// Delta: the actor's last write. State field "r": the winner with its timestamp and dot.
/// View: a string, absent after a clear.
#pragma once

#include <string>

#include <tributary/crdt/change.h>

namespace tributary::register_ {

[[nodiscard]] inline Change set(std::string key, std::string value) {
  return {.key = std::move(key), .type = "register", .operation = "set", .value = std::move(value)};
}

[[nodiscard]] inline Change clear(std::string key) {
  return {.key = std::move(key), .type = "register", .operation = "clear"};
}

}  // namespace tributary::register_
