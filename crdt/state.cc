#include <algorithm>

#include <tributary/base/check.h>
#include <tributary/crdt/state.h>

namespace tributary::crdt {
namespace {

constexpr auto kByName = [](const State::Field& field, std::string_view name) {
  return field.name < name;
};

}  // namespace

std::vector<State::Field>::iterator State::at(std::string_view name) {
  return std::lower_bound(fields_.begin(), fields_.end(), name, kByName);
}

std::vector<State::Field>::const_iterator State::at(std::string_view name) const {
  return std::lower_bound(fields_.begin(), fields_.end(), name, kByName);
}

void State::load(std::string name, std::optional<std::string> value) {
  fields_.push_back({std::move(name), std::move(value), false});
}

void State::settle() {
  std::stable_sort(fields_.begin(), fields_.end(),
                   [](const Field& a, const Field& b) { return a.name < b.name; });
  const auto same = [](const Field& a, const Field& b) { return a.name == b.name; };
  fields_.erase(std::unique(fields_.begin(), fields_.end(), same), fields_.end());
}

bool State::loaded(std::string_view name) const {
  if (complete_) return true;
  const auto field = at(name);
  return field != fields_.end() && field->name == name;
}

const std::string* State::find(std::string_view name) const {
  const auto field = at(name);
  const bool present = field != fields_.end() && field->name == name;
  CHECK(present || complete_);
  return present && field->value ? &*field->value : nullptr;
}

void State::set(std::string_view name, std::string value) {
  auto field = at(name);
  if (field == fields_.end() || field->name != name) {
    CHECK(complete_);
    field = fields_.insert(field, Field{std::string(name), std::nullopt, false});
  }
  if (field->value == value) return;
  field->value = std::move(value);
  field->changed = true;
}

void State::erase(std::string_view name) {
  const auto field = at(name);
  if (field == fields_.end() || field->name != name || !field->value) return;
  field->value.reset();
  field->changed = true;
}

void State::mark_unchanged() {
  for (Field& field : fields_) field.changed = false;
}

}  // namespace tributary::crdt
