#include "tests/simulation/expectation.h"

#include <algorithm>

namespace tributary::simulation {

std::map<std::string, std::string> read(MemoryReplica& replica, const std::string& key) {
  std::map<std::string, std::string> values;
  auto store = replica.open();
  if (!store) return values;
  const auto view = (*store)->view(key, 1'000'000);
  if (!view) return values;
  for (const auto& [name, value] : view->values) values[name] = value;
  return values;
}

std::string string_at(MemoryReplica& replica, const std::string& key, const std::string& absent) {
  const auto values = read(replica, key);
  return values.empty() ? absent : values.begin()->second;
}

Expectation::Expectation(const History& history, Doubts doubts) : doubts_(std::move(doubts)) {
  for (std::size_t number = 0; number < history.written().size(); ++number) {
    const Written& written = history.written()[number];
    for (const Publication& publication : written.publications) {
      if (publication.cut_off) continue;
      for (std::size_t i = 0; i < written.changes.size(); ++i) {
        const Change& change = written.changes[i];
        const Event event{&written,
                          &change,
                          number,
                          {publication.actor, Seq{publication.first.value + i}},
                          (publication.order << 8) + i,
                          publication.behind_final};
        if (doubts_.disputed.contains(change.key.front())) continue;
        if (change.type == "counter") sums_[change.key] += change.amount;
        if (change.type == "register") registers_[change.key].push_back(event);
        if (change.type == "set") sets_[change.key].push_back(event);
      }
    }
  }
}

std::optional<std::string> Expectation::check(MemoryReplica& replica) const {
  if (auto wrong = check_sums(replica)) return wrong;
  if (auto wrong = check_registers(replica)) return wrong;
  return check_sets(replica);
}

std::optional<std::string> Expectation::check_sums(MemoryReplica& replica) const {
  for (const auto& [key, sum] : sums_) {
    const std::string value = string_at(replica, key, "0");
    if (value == std::to_string(sum)) continue;
    return key + " is " + value + ", what was published makes " + std::to_string(sum);
  }
  return std::nullopt;
}

// ---- registers -----------------------------------------------------------------------------

/// Of one actor's changes the seqs tell: a publish that was lost is repeated behind later ones.
bool Expectation::precedes(const Event& earlier, const Event& later) {
  if (earlier.dot.actor == later.dot.actor) return earlier.dot.seq < later.dot.seq;
  return earlier.order < later.order;
}

/// A write beats what its writer had seen, and what the same origin published before it.
bool Expectation::overwrites(const Event& later, const Event& earlier) const {
  if (later.order == earlier.order) return false;
  if (later.written->told.watermark().covers(earlier.dot)) return true;
  if (later.written->origin != earlier.written->origin || !precedes(earlier, later)) return false;
  return later.dot.actor == earlier.dot.actor || (!doubts_.logs_lost && !earlier.behind_final);
}

std::optional<std::string> Expectation::check_registers(MemoryReplica& replica) const {
  for (const auto& [key, writes] : registers_) {
    std::set<std::string> candidates;
    for (const Event& write : writes) {
      const bool beaten = std::any_of(writes.begin(), writes.end(),
                                      [&](const Event& other) { return overwrites(other, write); });
      if (!beaten) candidates.insert(write.change->value);
    }
    const std::string value = string_at(replica, key, "");
    if (candidates.contains(value)) continue;
    std::string wanted;
    for (const std::string& each : candidates) wanted += " \"" + each + "\"";
    return key + " is \"" + value + "\", but nobody overwrote" + wanted;
  }
  return std::nullopt;
}

// ---- sets ----------------------------------------------------------------------------------

/// Whether a remove takes an add away. A context that the writer gave counts for no more than the
/// region had applied at the seal.
Expectation::Seen Expectation::observed(const Event& remove, const Event& add) const {
  const bool own = remove.written->origin == add.written->origin;
  const bool before = precedes(add, remove);
  if (const auto& exact = remove.change->context) {
    return exact->covers(add.dot) && before ? Seen::kPerhaps : Seen::kNo;
  }
  if (remove.written->told.of(remove.change->key).covers(add.dot)) return Seen::kYes;
  if (!own || !before) return Seen::kNo;
  // Of another timeline: forgotten by a restore before the remove, or by one that brought it back.
  const bool forgotten = add.written->forgotten_at != kNever;
  const bool other_life =
      add.written->forgotten_at <= remove.number || (forgotten && remove.number < add.number);
  return other_life || add.behind_final ? Seen::kPerhaps : Seen::kYes;
}

Expectation::Seen Expectation::removed(const std::vector<Event>& events, const Event& add) const {
  Seen seen = Seen::kNo;
  for (const Event& event : events) {
    const std::string& operation = event.change->operation;
    const bool removes =
        operation == "clear" || (operation == "remove" && event.change->value == add.change->value);
    if (removes) seen = std::max(seen, observed(event, add));
  }
  return seen;
}

std::optional<std::string> Expectation::check_sets(MemoryReplica& replica) const {
  for (const auto& [key, events] : sets_) {
    std::map<std::string, Seen> present;  // element -> whether it must be there
    for (const Event& event : events) {
      if (event.change->operation == "clear") continue;
      Seen& here = present.try_emplace(event.change->value, Seen::kNo).first->second;
      if (event.change->operation != "add") continue;
      const Seen gone = removed(events, event);
      if (gone == Seen::kNo) here = Seen::kYes;
      else if (gone == Seen::kPerhaps) here = std::max(here, Seen::kPerhaps);
    }
    const auto members = read(replica, key);
    for (const auto& [element, fate] : present) {
      const bool is = members.contains(element);
      if (fate == Seen::kYes && !is) return key + " lost element " + element;
      if (fate == Seen::kNo && is) return key + " kept element " + element;
    }
  }
  return std::nullopt;
}

}  // namespace tributary::simulation
