/// Lists in one value, as in libpq's multi-host URLs.
#pragma once

#include <string>
#include <vector>

namespace tributary::config {

/// The parts between commas; one, perhaps empty, when there is none.
[[nodiscard]] inline std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> out(1);
  for (const char c : list) {
    if (c == ',') out.emplace_back();
    else out.back().push_back(c);
  }
  return out;
}

}  // namespace tributary::config
