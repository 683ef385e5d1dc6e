#include "config/reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace tributary::config {
namespace {

/// What stands there, for a message about what should.
std::string found(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNothing: return "nothing";
    case YamlNode::Kind::kText: return node.text.empty() ? "an empty text" : shown(node.text);
    case YamlNode::Kind::kList: return "a list";
    case YamlNode::Kind::kMapping: return "a mapping";
  }
  return "nothing";
}

/// A key as messages show it. What is no plain word may be a URL with its password, in the wrong
/// place or without the blank behind its colon.
std::string key_of(std::string_view key) {
  const std::string word = shown(key);
  return word.front() == '"' ? std::string(key) : "(a key)";
}

std::string expected(std::string what, const YamlNode& node) {
  return std::move(what) + " is expected here, not " + found(node);
}

}  // namespace

Mapping::Mapping(const YamlEntry& entry, std::string path, Mistakes& mistakes)
    : path_(std::move(path)), mistakes_(mistakes), place_(entry.key_place) {
  index(entry);
}

Mapping::Mapping(Mapping& parent, std::string_view key, bool required)
    : path_(parent.path_of(key)), mistakes_(parent.mistakes_), place_(parent.place_) {
  const YamlEntry* entry = parent.take(key, required);
  if (entry == nullptr) return;
  place_ = entry->key_place;
  index(*entry);
}

void Mapping::index(const YamlEntry& entry) {
  present_ = entry.value.kind == YamlNode::Kind::kMapping;
  if (!present_) {
    const bool text = entry.value.kind == YamlNode::Kind::kText;  // a URL, perhaps: not repeated
    mistakes_.add(entry.place, path_,
                  text ? "a mapping (key: value) is expected here, not a text"
                       : expected("a mapping (key: value)", entry.value));
    return;
  }
  for (const YamlEntry& child : entry.value.entries) {
    if (!child.key_is_text) {
      mistakes_.add(child.key_place, path_, "a key must be a plain text, not a list or a mapping");
    } else if (const auto [first, fresh] = entries_.try_emplace(child.key, &child); fresh) {
      in_order_.push_back(&child);
    } else {
      mistakes_.add(child.key_place, path_of(child.key),
                    "this key stands already in line " +
                        std::to_string(first->second->key_place.line) + "; keep one of them");
    }
  }
}

std::string Mapping::path_of(std::string_view key) const {
  return path_.empty() ? key_of(key) : path_ + "." + key_of(key);
}

Place Mapping::place_of(std::string_view key) const {
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? place_ : entry->second->place;
}

void Mapping::mistake(std::string_view key, std::string what) {
  mistakes_.add(place_of(key), path_of(key), std::move(what));
}

void Mapping::mistake_of_key(std::string_view key, std::string what) {
  const auto entry = entries_.find(key);
  mistakes_.add(entry == entries_.end() ? place_ : entry->second->key_place, path_of(key),
                std::move(what));
}

const YamlEntry* Mapping::take(std::string_view key, bool required) {
  taken_.emplace(key);
  const auto entry = entries_.find(key);
  if (entry != entries_.end()) return entry->second;
  if (required && present_) missing_.emplace_back(key);
  return nullptr;
}

bool Mapping::text(std::string_view key, std::string& out, bool required) {
  const YamlEntry* entry = take(key, required);
  if (entry == nullptr) return false;
  if (entry->value.kind != YamlNode::Kind::kText || entry->value.text.empty()) {
    mistake(key, expected("a text", entry->value));
    return false;
  }
  out = entry->value.text;
  return true;
}

bool Mapping::flag(std::string_view key, bool& out) {
  const YamlEntry* entry = take(key);
  if (entry == nullptr) return false;
  const bool yes = entry->value.text == "true";
  if (!yes && entry->value.text != "false") {
    mistake(key, expected("true or false", entry->value));
    return false;
  }
  out = yes;
  return true;
}

bool Mapping::integer(std::string_view key, std::int64_t& out, std::int64_t least,
                      std::int64_t most) {
  const YamlEntry* entry = take(key);
  if (entry == nullptr) return false;
  const std::string& text = entry->value.text;
  const char* const end = text.data() + text.size();
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc{} || parsed.ptr != end || value < least || value > most) {
    mistake(key,
            expected("a whole number from " + std::to_string(least) + " to " + std::to_string(most),
                     entry->value));
    return false;
  }
  out = value;
  return true;
}

bool Mapping::choice(std::string_view key, std::string& out,
                     const std::vector<std::string>& choices) {
  std::string value;
  if (!text(key, value)) return false;
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    mistake(key, shown(value) + " is none of " + listed(choices) + did_you_mean(value, choices));
    return false;
  }
  out = std::move(value);
  return true;
}

std::vector<const YamlEntry*> Mapping::take_all() {
  for (const YamlEntry* entry : in_order_) taken_.insert(entry->key);
  return in_order_;
}

void Mapping::finish() {
  const std::vector<std::string> known(taken_.begin(), taken_.end());
  for (const YamlEntry* entry : in_order_) {
    if (taken_.contains(entry->key)) continue;
    std::string hint = hint_at_missing(entry->key);
    if (hint.empty()) hint = did_you_mean(entry->key, known);
    if (hint.empty() && entry->key.find(':') != std::string::npos) {
      hint = "; put a blank behind the colon that ends a key";
    }
    if (hint.empty()) hint = "; known here: " + listed(known);
    mistake_of_key(entry->key, "this key is unknown" + hint);
  }
  for (const std::string& key : missing_) mistake(key, "this key is missing");
}

// A misspelt key is one mistake, not an unknown and a missing one.
std::string Mapping::hint_at_missing(std::string_view unknown) {
  for (auto key = missing_.begin(); key != missing_.end(); ++key) {
    std::string hint = did_you_mean(unknown, {*key});
    if (hint.empty()) continue;
    missing_.erase(key);
    return hint;
  }
  return "";
}

}  // namespace tributary::config
