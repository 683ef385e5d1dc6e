/// The table of all settings that are whole numbers: their section, name, bounds and member.
/// Parsing and rendering both walk it, so a new setting is one member and one line here.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "config/topology.h"

namespace tributary::config {

struct Setting {
  std::string_view section;
  std::string_view key;
  std::int64_t least = 0;
  std::int64_t most = 0;
  std::int64_t (*get)(const Topology&) = nullptr;
  void (*set)(Topology&, std::int64_t) = nullptr;
};

/// Sections stand together.
[[nodiscard]] std::span<const Setting> settings();

/// Two settings of one section that must be in order.
struct OrderedPair {
  std::string_view section;
  std::string_view smaller;
  std::string_view larger;
};

[[nodiscard]] std::span<const OrderedPair> ordered_settings();

/// nullptr when there is none.
[[nodiscard]] const Setting* find_setting(std::string_view section, std::string_view key);

}  // namespace tributary::config
