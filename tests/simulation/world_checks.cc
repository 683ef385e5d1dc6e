/// What must hold in a simulated deployment, during the storm and at its end.
#include <map>

#include "world.h"

#include <tributary/outbox/batch.h>

namespace tributary::simulation {
namespace {

/// Values of a key as a reader sees them, without going through the faults.
std::map<std::string, std::string> read(MemoryReplica& replica, const std::string& key) {
  std::map<std::string, std::string> values;
  auto store = replica.open();
  if (!store) return values;
  const auto reading = (*store)->read(key);
  if (!reading || !reading->exists) return values;
  for (const auto& [name, value] : reading->values) values[name] = value;
  return values;
}

std::string string_at(MemoryReplica& replica, const std::string& key, const std::string& absent) {
  const auto values = read(replica, key);
  return values.empty() ? absent : values.begin()->second;
}

}  // namespace

/// I5: a reader never sees half of a producer's transaction.
std::optional<std::string> World::check_halves() {
  const double fault = std::exchange(fault_, 0);
  for (auto& region : regions_) {
    const std::string left = string_at(region->replica, "half:left", "0");
    const std::string right = string_at(region->replica, "half:right", "0");
    if (left != right) return "a reader saw half a transaction: " + left + " and " + right;
  }
  fault_ = fault;
  return std::nullopt;
}

std::optional<std::string> World::check_end() {
  if (auto wrong = check_halves()) return wrong;
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    if (auto wrong = check_region(i)) return "region " + std::to_string(i) + ": " + *wrong;
    if (regions_[i]->replica.dump() != regions_[0]->replica.dump()) {
      return "regions 0 and " + std::to_string(i) + " differ:\n" + regions_[0]->replica.dump() +
             "\n---\n" + regions_[i]->replica.dump();
    }
  }
  return check_changelogs();
}

std::optional<std::string> World::check_region(std::size_t index) {
  MemoryReplica& replica = regions_[index]->replica;
  for (const auto& [key, sum] : history_.sums()) {
    const std::string value = string_at(replica, key, "0");
    if (value != std::to_string(sum)) {
      return key + " is " + value + ", the committed adds make " + std::to_string(sum);
    }
  }
  for (const auto& [key, candidates] : history_.last_writes()) {
    const std::string value = string_at(replica, key, "");
    if (!candidates.contains(value)) return key + " is \"" + value + "\", nobody's last write";
  }
  for (const auto& [key, elements] : history_.elements()) {
    const auto members = read(replica, key);
    for (const auto& [element, fate] : elements) {
      const bool present = members.contains(element);
      if (fate == History::Fate::kPresent && !present) return key + " lost element " + element;
      if (fate == History::Fate::kAbsent && present) return key + " kept element " + element;
    }
  }
  return std::nullopt;
}

/// I1 and I2: every committed change was sealed once, seqs have no gaps, bytes never change.
std::optional<std::string> World::check_changelogs() {
  for (const Origin& origin : origins_) {
    std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> batches;
    for (const ChangelogMessage& message : origin.region->broker.messages(origin.name)) {
      const auto batch = decode_batch(message.bytes);
      if (!batch) return "a message of " + origin.name.value + " is no batch";
      if (batch->heartbeat()) continue;
      const auto [known, fresh] = batches.try_emplace(
          batch->first_seq.value, std::pair(batch->last_seq.value, message.bytes));
      if (!fresh && known->second.second != message.bytes) {
        return "a sealed batch of " + origin.name.value + " changed";
      }
    }
    std::uint64_t next = 1;
    for (const auto& [first, rest] : batches) {
      if (first != next) return "seqs of " + origin.name.value + " have a gap or overlap";
      next = rest.first + 1;
    }
    if (next - 1 != history_.changes_of(origin.name.value)) {
      return origin.name.value + " sealed " + std::to_string(next - 1) +
             " changes, committed were " + std::to_string(history_.changes_of(origin.name.value));
    }
  }
  return std::nullopt;
}

}  // namespace tributary::simulation
