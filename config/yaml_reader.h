/// Walks a YAML tree, taking known keys and recording every mistake with its line.
/// Private to config: yaml-cpp shows here.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

#include <tributary/config/topology.h>

namespace tributary::config {

/// Collects mistakes; shared by all readers of one file.
class Mistakes {
 public:
  void add(const YAML::Mark& mark, std::string key, std::string what);
  [[nodiscard]] std::vector<Mistake> sorted() &&;

 private:
  std::vector<Mistake> mistakes_;
};

/// One mapping. Take what is known; finish() then reports the keys that nobody took.
class Mapping {
 public:
  /// `node` may be of any kind; what is not a mapping is a mistake and reads as empty.
  Mapping(const YAML::Node& node, std::string path, Mistakes& mistakes);

  /// An empty mapping that is no mistake.
  explicit Mapping(Mistakes& mistakes) : mistakes_(mistakes) {}

  /// Each returns false, having recorded why, when the key is missing (and required) or wrong.
  bool text(std::string_view key, std::string& out, bool required = false);
  bool integer(std::string_view key, std::int64_t& out, std::int64_t least, std::int64_t most,
               bool required = false);
  bool choice(std::string_view key, std::string& out, std::span<const std::string_view> choices);

  /// The sub-node and its path; an undefined node when the key is absent.
  [[nodiscard]] YAML::Node take(std::string_view key, bool required = false);
  [[nodiscard]] std::string path_of(std::string_view key) const;
  /// Where the key's value stands; where the mapping stands when it is absent.
  [[nodiscard]] YAML::Mark mark_of(std::string_view key) const;
  void mistake(std::string_view key, std::string what);

  /// The keys in file order, all counting as taken.
  [[nodiscard]] std::vector<std::string> take_names();
  /// Reports unknown and repeated keys.
  void finish();

  [[nodiscard]] bool is_mapping() const { return is_mapping_; }

 private:
  YAML::Node node_;
  std::string path_;
  Mistakes& mistakes_;
  bool is_mapping_ = false;
  std::map<std::string, YAML::Node, std::less<>> values_;
  std::map<std::string, YAML::Mark, std::less<>> unknown_;
  std::set<std::string, std::less<>> asked_;
};

/// `, did you mean "x"?` for the nearest of `known`, or nothing when none is near.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& known);

}  // namespace tributary::config
