#include "config/pattern.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <tributary/crdt/schema.h>

namespace tributary::config {
namespace {

/// All words over `letters` of up to `longest` letters.
std::vector<std::string> words(const std::string& letters, std::size_t longest) {
  std::vector<std::string> all{""};
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].size() == longest) continue;
    for (const char letter : letters) all.push_back(all[i] + letter);
  }
  return all;
}

TEST_CASE("a pattern shadows another if and only if it matches all its keys") {
  // z stands for every byte that no pattern names.
  const std::vector<std::string> keys = words("abz", 6);
  for (const std::string& earlier : words("ab?*", 3)) {
    for (const std::string& later : words("ab?*", 3)) {
      bool all = true;
      for (const std::string& key : keys) {
        if (matches(later, key) && !matches(earlier, key)) {
          all = false;
          break;
        }
      }
      INFO(earlier << " before " << later);
      CHECK(shadows(earlier, later) == all);
    }
  }
}

TEST_CASE("two patterns overlap if and only if some key matches both") {
  const std::vector<std::string> keys = words("abz", 6);
  for (const std::string& a : words("ab?*", 3)) {
    for (const std::string& b : words("ab?*", 3)) {
      const bool both = std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
        return matches(a, key) && matches(b, key);
      });
      INFO(a << " and " << b);
      CHECK(overlap(a, b) == both);
    }
  }
}

TEST_CASE("long patterns are decided in bounded time") {
  std::string stars;
  for (int i = 0; i < 200; ++i) stars += "*a";
  CHECK_FALSE(shadows(stars + "b", stars + "?"));
  CHECK(shadows("*", stars));
}

}  // namespace
}  // namespace tributary::config
