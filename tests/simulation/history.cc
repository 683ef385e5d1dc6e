#include "history.h"

namespace tributary::simulation {

void History::committed(const std::string& origin, const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    ++changes_[origin];
    if (change.type == "counter") sums_[change.key] += change.amount;
    if (change.type == "register") writes_[change.key][origin] = change.value;
    if (change.type != "set") continue;
    auto& set = elements_[change.key];
    if (change.operation == "clear") {
      for (auto& [element, state] : set) {
        state.removed = true;
        state.last_add_of[origin] = false;
      }
      continue;
    }
    Element& state = set[change.value];
    const bool add = change.operation == "add";
    state.last_add_of[origin] = add;
    (add ? state.added : state.removed) = true;
  }
}

std::uint64_t History::changes_of(const std::string& origin) const {
  const auto at = changes_.find(origin);
  return at == changes_.end() ? 0 : at->second;
}

std::map<std::string, std::set<std::string>> History::last_writes() const {
  std::map<std::string, std::set<std::string>> last;
  for (const auto& [key, by_origin] : writes_) {
    for (const auto& [origin, value] : by_origin) last[key].insert(value);
  }
  return last;
}

std::map<std::string, std::map<std::string, History::Fate>> History::elements() const {
  std::map<std::string, std::map<std::string, Fate>> fates;
  for (const auto& [key, set] : elements_) {
    for (const auto& [element, state] : set) {
      Fate fate = Fate::kEither;
      if (!state.added) fate = Fate::kAbsent;
      else if (!state.removed) fate = Fate::kPresent;
      else if (state.last_add_of.size() == 1) {
        fate = state.last_add_of.begin()->second ? Fate::kPresent : Fate::kAbsent;
      }
      fates[key][element] = fate;
    }
  }
  return fates;
}

}  // namespace tributary::simulation
