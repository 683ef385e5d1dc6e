#include <algorithm>
#include <utility>

#include <tributary/crdt/state.h>

#include "base/check.h"

namespace tributary::crdt {
namespace {

constexpr auto kByName = [](const State::Field& field, std::string_view name) {
  return field.name < name;
};

}  // namespace

const State::Field* State::at(std::string_view name) const {
  const auto field = std::lower_bound(fields_.begin(), fields_.end(), name, kByName);
  if (field != fields_.end() && field->name == name) return &*field;
  const auto added = added_.find(name);
  return added == added_.end() ? nullptr : &added->second;
}

State::Field* State::at(std::string_view name) {
  return const_cast<Field*>(std::as_const(*this).at(name));
}

const std::vector<State::Field>& State::fields() const {
  if (added_.empty()) return fields_;
  const auto middle = static_cast<std::ptrdiff_t>(fields_.size());
  for (auto& added : added_) fields_.push_back(std::move(added.second));
  added_.clear();
  std::inplace_merge(fields_.begin(), fields_.begin() + middle, fields_.end(),
                     [](const Field& a, const Field& b) { return a.name < b.name; });
  return fields_;
}

void State::load(std::string name, std::optional<std::string> value) {
  fields_.push_back({std::move(name), std::move(value), false});
}

void State::settle() {
  // Mostly they come so.
  const auto out_of_order = [](const Field& a, const Field& b) { return a.name >= b.name; };
  if (std::ranges::adjacent_find(fields_, out_of_order) == fields_.end()) return;
  std::stable_sort(fields_.begin(), fields_.end(),
                   [](const Field& a, const Field& b) { return a.name < b.name; });
  const auto same = [](const Field& a, const Field& b) { return a.name == b.name; };
  fields_.erase(std::unique(fields_.begin(), fields_.end(), same), fields_.end());
}

bool State::loaded(std::string_view name) const { return complete_ || at(name) != nullptr; }

const std::string* State::find(std::string_view name) const {
  const Field* field = at(name);
  CHECK(field != nullptr || complete_);
  return field != nullptr && field->value ? &*field->value : nullptr;
}

void State::set(std::string_view name, std::string value) {
  Field* field = at(name);
  if (field == nullptr) {
    CHECK(complete_);
    field = &added_.emplace(name, Field{std::string(name), std::nullopt, false}).first->second;
  }
  if (field->value == value) return;
  field->value = std::move(value);
  field->changed = true;
}

void State::erase(std::string_view name) {
  Field* field = at(name);
  if (field == nullptr || !field->value) return;
  field->value.reset();
  field->changed = true;
}

void State::mark_unchanged() {
  for (Field& field : fields_) field.changed = false;
  for (auto& added : added_) added.second.changed = false;
}

}  // namespace tributary::crdt
