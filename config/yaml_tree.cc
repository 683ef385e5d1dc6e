#include "config/yaml_tree.h"

#include <utility>

#include <yaml-cpp/yaml.h>

#include "config/topology.h"

namespace tributary::config {
namespace {

constexpr int kDeepest = 16;            // a topology needs five levels
constexpr std::size_t kMost = 200'000;  // nodes, aliases counted at each use

Place place_of(const YAML::Mark& mark) {
  return mark.is_null() ? Place{} : Place{mark.line + 1, mark.column + 1};
}

/// Copies yaml-cpp's graph into a tree.
class Copier {
 public:
  [[nodiscard]] bool within_bounds() const { return within_bounds_; }

  void copy(const YAML::Node& from, YamlEntry& to, int depth = 0) {
    within_bounds_ = within_bounds_ && depth < kDeepest && ++count_ < kMost;
    if (!within_bounds_) return;
    if (from.IsScalar()) {
      to.value.kind = YamlNode::Kind::kText;
      to.value.text = from.Scalar();
      // A text above its key came through an alias; the key is what the reader has to look at.
      const Place own = place_of(from.Mark());
      if (own.line >= to.key_place.line) to.place = own;
    } else if (from.IsSequence()) {
      to.value.kind = YamlNode::Kind::kList;
      copy_list(from, to.value, depth);
    } else if (from.IsMap()) {
      to.value.kind = YamlNode::Kind::kMapping;
      copy_mapping(from, to.value, depth);
    }
  }

 private:
  void copy_list(const YAML::Node& from, YamlNode& to, int depth) {
    for (const YAML::Node& item : from) {
      YamlEntry entry;
      entry.key_place = entry.place = place_of(item.Mark());
      copy(item, entry, depth + 1);
      to.entries.push_back(std::move(entry));
    }
  }

  void copy_mapping(const YAML::Node& from, YamlNode& to, int depth) {
    for (const auto& pair : from) {
      YamlEntry entry;
      entry.key_is_text = pair.first.IsScalar();
      if (entry.key_is_text) entry.key = pair.first.Scalar();
      entry.key_place = entry.place = place_of(pair.first.Mark());
      copy(pair.second, entry, depth + 1);
      to.entries.push_back(std::move(entry));
    }
  }

  std::size_t count_ = 0;
  bool within_bounds_ = true;
};

}  // namespace

tl::expected<YamlEntry, Mistake> read_yaml(const std::string& yaml) try {
  const std::vector<YAML::Node> documents = YAML::LoadAll(yaml);
  YamlEntry root;
  root.key_place = root.place = {1, 1};
  if (documents.empty()) return root;
  if (documents.size() > 1) {
    const Place second = place_of(documents[1].Mark());
    return tl::make_unexpected(Mistake{second.line, second.column, "",
                                       "a second document starts here; keep one per file"});
  }
  Copier copier;
  copier.copy(documents.front(), root);
  if (!copier.within_bounds()) {
    return tl::make_unexpected(
        Mistake{1, 1, "", "the file is nested or repeated without bound; write out its aliases"});
  }
  return root;
} catch (const YAML::Exception& error) {
  const Place place = place_of(error.mark);
  return tl::make_unexpected(Mistake{place.line, place.column, "", "not YAML: " + error.msg});
}

}  // namespace tributary::config
