/// Walks a YAML tree: takes known keys with typed getters and records every mistake with its place.
/// What keys there are stands in parse.cc and places.cc. Private to config.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/mistakes.h"
#include "config/yaml_tree.h"

namespace tributary::config {

/// One mapping. Take what is known; finish() then reports the keys that are missing, and those that
/// nobody took.
/// Borrows the entry, which must outlive it.
class Mapping {
 public:
  /// What is not a mapping is one mistake and reads as empty, without requirements.
  Mapping(const YamlEntry& entry, std::string path, Mistakes& mistakes);
  /// A mapping below `parent`. Absent, it reads as empty; a mistake only when it is required.
  Mapping(Mapping& parent, std::string_view key, bool required = false);

  /// Each returns false, having recorded why, when the key is wrong, or required and missing;
  /// `out` then stays as it was. An absent key that is not required returns false silently.
  bool text(std::string_view key, std::string& out, bool required = false);
  bool flag(std::string_view key, bool& out);
  bool integer(std::string_view key, std::int64_t& out, std::int64_t least, std::int64_t most);
  bool choice(std::string_view key, std::string& out, const std::vector<std::string>& choices);

  /// The entry, or nullptr when the key is absent.
  const YamlEntry* take(std::string_view key, bool required = false);
  /// All entries with different keys, in the order of the file, all counting as taken.
  [[nodiscard]] std::vector<const YamlEntry*> take_all();
  /// Reports missing keys, and unknown ones with the known one that may be meant.
  void finish();

  void mistake(std::string_view key, std::string what);
  /// The same, pointing at the key rather than at its value.
  void mistake_of_key(std::string_view key, std::string what);

  /// Whether the file has a mapping here.
  [[nodiscard]] bool present() const { return present_; }
  [[nodiscard]] bool has(std::string_view key) const { return entries_.contains(key); }
  [[nodiscard]] Place place_of(std::string_view key) const;
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] Mistakes& mistakes() { return mistakes_; }

 private:
  void index(const YamlEntry& entry);
  std::string hint_at_missing(std::string_view unknown);

  std::string path_;
  Mistakes& mistakes_;
  Place place_;
  bool present_ = false;
  std::vector<const YamlEntry*> in_order_;
  std::map<std::string, const YamlEntry*, std::less<>> entries_;
  std::set<std::string, std::less<>> taken_;
  std::vector<std::string> missing_;
};

}  // namespace tributary::config
