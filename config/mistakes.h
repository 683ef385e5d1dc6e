/// The list of mistakes that all parts of the parser share, and how a mistake suggests a word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/topology.h"
#include "config/yaml_tree.h"

namespace tributary::config {

/// Not thread-safe; one per file.
class Mistakes {
 public:
  void add(Place place, std::string key, std::string what);
  /// In the order of the file.
  [[nodiscard]] std::vector<Mistake> sorted() &&;

 private:
  std::vector<Mistake> mistakes_;
};

/// `; did you mean "x"?` for the nearest of `known`, or nothing when none is near. A slip of
/// neighbouring letters counts as one error.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& known);

/// A short word of letters, digits and . _ - in quotes, as it stands; of anything else only that it
/// is a text: it may be a URL, or a secret, in the wrong place.
[[nodiscard]] std::string shown(std::string_view text);

/// The words in one line: `a, b, c`.
[[nodiscard]] std::string listed(const std::vector<std::string>& words);

}  // namespace tributary::config
