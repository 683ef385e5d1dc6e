#include <algorithm>
#include <charconv>

#include <tributary/config/yaml_reader.h>

namespace tributary::config {
namespace {

/// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string kind_of(const YAML::Node& node) {
  if (node.IsMap()) return "a mapping";
  if (node.IsSequence()) return "a list";
  if (node.IsNull()) return "nothing";
  return "a single value";
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& each : known) {
    const std::size_t d = distance(word, each);
    if (d < best_distance) {
      best = &each;
      best_distance = d;
    }
  }
  return best == nullptr ? "" : "; did you mean \"" + *best + "\"?";
}

void Mistakes::add(const YAML::Mark& mark, std::string key, std::string what) {
  mistakes_.push_back({mark.is_null() ? 0 : mark.line + 1, std::move(key), std::move(what)});
}

std::vector<Mistake> Mistakes::sorted() && {
  std::stable_sort(mistakes_.begin(), mistakes_.end(),
                   [](const Mistake& a, const Mistake& b) { return a.line < b.line; });
  return std::move(mistakes_);
}

Mapping::Mapping(const YAML::Node& node, std::string path, Mistakes& mistakes)
    : node_(node), path_(std::move(path)), mistakes_(mistakes), is_mapping_(node.IsMap()) {
  if (!is_mapping_) {
    mistakes_.add(node.Mark(), path_,
                  "a mapping (key: value) is expected here, this is " + kind_of(node));
    return;
  }
  for (const auto& entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (!values_.try_emplace(key, entry.second).second) {
      mistakes_.add(entry.first.Mark(), path_of(key), "the key stands here for the second time");
    }
    unknown_.try_emplace(key, entry.first.Mark());
  }
}

std::string Mapping::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

// A key's own line where the value has none of its own (an empty value, a block below it).
YAML::Mark Mapping::mark_of(std::string_view key) const {
  const auto value = values_.find(key);
  return value == values_.end() ? node_.Mark() : value->second.Mark();
}

void Mapping::mistake(std::string_view key, std::string what) {
  mistakes_.add(mark_of(key), path_of(key), std::move(what));
}

YAML::Node Mapping::take(std::string_view key, bool required) {
  asked_.emplace(key);
  if (const auto unknown = unknown_.find(key); unknown != unknown_.end()) unknown_.erase(unknown);
  const auto value = values_.find(key);
  if (value != values_.end()) return value->second;
  if (required && is_mapping_) mistake(key, "this key is missing");
  return YAML::Node(YAML::NodeType::Undefined);
}

bool Mapping::text(std::string_view key, std::string& out, bool required) {
  const YAML::Node node = take(key, required);
  if (!node.IsDefined()) return false;
  if (!node.IsScalar() || node.Scalar().empty()) {
    mistake(key, "a text is expected here, this is " +
                     (node.IsScalar() ? std::string("empty") : kind_of(node)));
    return false;
  }
  out = node.Scalar();
  return true;
}

bool Mapping::integer(std::string_view key, std::int64_t& out, std::int64_t least,
                      std::int64_t most, bool required) {
  const YAML::Node node = take(key, required);
  if (!node.IsDefined()) return false;
  const std::string scalar = node.IsScalar() ? node.Scalar() : "";
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(scalar.data(), scalar.data() + scalar.size(), value);
  const bool whole = error == std::errc{} && end == scalar.data() + scalar.size();
  if (!whole || value < least || value > most) {
    mistake(key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                     " is expected here, this is " +
                     (node.IsScalar() ? "\"" + scalar + "\"" : kind_of(node)));
    return false;
  }
  out = value;
  return true;
}

bool Mapping::choice(std::string_view key, std::string& out,
                     std::span<const std::string_view> choices) {
  std::string value;
  if (!text(key, value)) return false;
  if (std::find(choices.begin(), choices.end(), value) != choices.end()) {
    out = value;
    return true;
  }
  std::string known;
  for (const std::string_view each : choices) known.append(known.empty() ? "" : ", ").append(each);
  mistake(key, "\"" + value + "\" is none of " + known);
  return false;
}

std::vector<std::string> Mapping::take_names() {
  std::vector<std::string> names;
  if (!is_mapping_) return names;
  for (const auto& entry : node_) {
    const std::string name = entry.first.IsScalar() ? entry.first.Scalar() : "";
    if (asked_.insert(name).second) names.push_back(name);
  }
  unknown_.clear();
  return names;
}

void Mapping::finish() {
  const std::vector<std::string> known(asked_.begin(), asked_.end());
  for (const auto& [key, mark] : unknown_) {
    mistakes_.add(mark, path_of(key), "this key is unknown" + did_you_mean(key, known));
  }
}

}  // namespace tributary::config
