/// A YAML text as a plain tree in which every key and value knows where it stands, so that the
/// parser can name the exact line of a mistake. Private to config.
#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

namespace tributary::config {

struct Mistake;

/// From 1; zeros: nowhere.
struct Place {
  int line = 0;
  int column = 0;
};

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNothing, kText, kList, kMapping };

  Kind kind = Kind::kNothing;
  std::string text;                ///< of kText
  std::vector<YamlEntry> entries;  ///< of kList and kMapping, in the order of the file
};

/// An entry of a mapping or, without a key, of a list.
struct YamlEntry {
  std::string key;
  bool key_is_text = true;
  Place key_place;  ///< of the key
  Place place;      ///< of a text, or else of the key that leads to the value
  YamlNode value;
};

/// The one document in `yaml`, as an entry without a key. The mistake of a text that is not YAML,
/// holds several documents, or is nested without bound.
[[nodiscard]] tl::expected<YamlEntry, Mistake> read_yaml(const std::string& yaml);

}  // namespace tributary::config
