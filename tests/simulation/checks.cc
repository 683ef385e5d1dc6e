/// What must hold in a simulated deployment, during the storm and at its end.
#include <algorithm>
#include <sstream>
#include <tuple>

#include "tests/simulation/expectation.h"
#include "tests/simulation/world.h"

namespace tributary::simulation {
namespace {

std::set<std::string> lines_of(const std::string& text) {
  std::set<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.insert(line);
  return lines;
}

/// The lines that only one of two dumps has.
std::string differences(const std::string& left, const std::string& right) {
  const auto ours = lines_of(left);
  const auto theirs = lines_of(right);
  std::string out;
  for (const auto& [mine, others, mark] :
       {std::tuple(&ours, &theirs, "\n- "), std::tuple(&theirs, &ours, "\n+ ")}) {
    for (const std::string& line : *mine) {
      if (!others->contains(line)) out += mark + line;
    }
  }
  return out;
}

/// Regions that are equally far must have got there by the same batches.
std::optional<std::string> differing_history(const ReplicaProgress& one,
                                             const ReplicaProgress& other) {
  for (const auto& [origin, progress] : one.origins) {
    const auto known = other.origins.find(origin);
    if (known == other.origins.end() || known->second.actor != progress.actor) continue;
    if (progress.history.contradicts(known->second.history)) {
      return "got other changes of " + origin.value + " than one with the same watermark";
    }
  }
  return std::nullopt;
}

}  // namespace

/// I5: a reader never sees half of a producer's transaction.
std::optional<std::string> World::check_halves() {
  const double fault = std::exchange(fault_, 0);
  std::optional<std::string> torn;
  for (auto& region : regions_) {
    const bool away = std::exchange(region->away, false);
    const std::string left = string_at(region->replica, "half:left", "0");
    const std::string right = string_at(region->replica, "half:right", "0");
    // What a stopped commit had written stands alone until its batch is applied again.
    if (region->torn && left == right) {
      const auto progress = (*region->replica.open())->progress();
      region->torn = !progress->unfinished.empty();
    }
    if (left != right && !region->torn)
      torn = "a reader saw half a transaction: " + left + " and " + right;
    region->away = away;
  }
  fault_ = fault;
  return torn;
}

bool World::applied_somewhere(ActorId actor) {
  const double fault = std::exchange(fault_, 0);
  const bool applied = std::ranges::any_of(regions_, [&](const auto& region) {
    const bool away = std::exchange(region->away, false);
    const auto progress = (*region->replica.open())->progress();
    region->away = away;
    return progress->watermark.get(actor) > Seq{};
  });
  fault_ = fault;
  return applied;
}

std::optional<std::string> World::check_end() {
  std::set<OriginName> broken;
  for (const Origin& origin : origins_) {
    if (!origin.broken) continue;
    broken.insert(origin.name);
    history_.broken(origin.name.value);
  }
  if (auto wrong = check_halves()) return wrong;
  if (auto wrong = witness_.wrong(broken)) return wrong;
  if (auto wrong = witness_.forgot() ? std::nullopt : history_.wrong(witness_.losing()))
    return wrong;
  discard_forgeries();
  if (failure_) return failure_;
  if (auto wrong = check_regions()) return wrong;
  return check_batch_tables();
}

/// A region that lacks something must say so, and must have a reason.
std::optional<std::string> World::check_lacking(const Region& region,
                                                const ReplicaProgress& progress) {
  for (const auto& [actor, seq] : witness_.all()) {
    if (progress.watermark.get(actor) >= std::min(seq, witness_.final_of(actor))) continue;
    const OriginName& origin = witness_.owners().at(actor);
    const auto known = std::ranges::find(origins_, origin, &Origin::name);
    if (known->broken) continue;
    const std::string lack = "has " + std::to_string(progress.watermark.get(actor).value) + " of " +
                             std::to_string(seq.value) + " changes of " + origin.value;
    if (!traits_.log_losses) return lack + ", and no log was lost";
    if (known->restored && !witness_.named(origin, actor)) continue;
    if (known->restored && region.refused) continue;  // it was said, and discarded
    const bool told = std::ranges::any_of(consumers_, [&](const auto& slot) {
      return &slot.node->region() == &region && slot.node->behind(origin);
    });
    if (!told) return lack + " and does not say so";
  }
  return std::nullopt;
}

/// Nothing is parked at the end but what two origins disagree on, and what no log holds any more.
std::optional<std::string> World::check_parked(Region& region, bool& whole) {
  auto store = region.replica.open();
  const auto blocked = (*store)->blocked("", 100'000);
  const auto parked = (*store)->parked("", 100'000);
  whole = blocked->empty();
  for (const auto& [key, block] : *blocked) {
    if (!traits_.log_losses && !traits_.broken_origin)
      return key + " is still blocked: " + block.reason;
  }
  for (const ParkedEntry& each : *parked) {
    if (each.key.front() == 'd' && traits_.disagreement) continue;
    const bool forged = traits_.forgeries && each.reason.find("not obeyed") != std::string::npos;
    if (!forged && whole) return each.key + " has changes parked: " + each.reason;
  }
  return std::nullopt;
}

std::optional<std::string> World::check_regions() {
  const Expectation expectation(
      history_,
      {traits_.log_losses, traits_.disagreement ? std::set<char>{'d'} : std::set<char>{}});
  std::map<std::string, Region*> same;  // watermark -> a region that has it
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    Region& region = *regions_[i];
    const std::string name = "region " + std::to_string(i) + ": ";
    const auto progress = (*region.replica.open())->progress();
    if (auto wrong = check_lacking(region, *progress)) return name + *wrong;
    bool whole = true;
    if (auto wrong = check_parked(region, whole)) return name + *wrong;
    if (!whole) continue;
    // The keys of a commit that stopped half-way hold what its batch says. Where that can never be
    // read again, they are ahead of the watermark for good, and the origin is said to be lost.
    if (region.halved && (traits_.log_losses || traits_.broken_origin)) continue;
    const auto [twin, first] = same.try_emplace(progress->watermark.bytes(), &region);
    if (!first) {
      const auto others = (*twin->second->replica.open())->progress();
      if (auto wrong = differing_history(*progress, *others)) return name + *wrong;
    }
    if (!first && twin->second->replica.dump() != region.replica.dump()) {
      return name + "differs from one with the same watermark:" +
             differences(twin->second->replica.dump(), region.replica.dump());
    }
    const bool all = std::ranges::all_of(witness_.all(), [&](const auto& entry) {
      return progress->watermark.get(entry.first) >= entry.second;
    });
    if (!all || witness_.forgot()) continue;
    if (auto wrong = expectation.check(region.replica)) return name + *wrong;
  }
  return std::nullopt;
}

/// Confirmed batches go when they are older than the retention, also when nothing happens any more.
std::optional<std::string> World::check_batch_tables() {
  const auto keep_house = [&](int times) {
    for (int i = 0; i < times; ++i) {
      clock_.advance(relay_settings_.housekeeping + Millis{1});
      for (auto& relay : relays_) note(relay.node->step(), relay.node->origin().broken);
    }
  };
  keep_house(4);  // a discard may be told yet
  clock_.advance(relay_settings_.retention + std::chrono::seconds(1));
  keep_house(8);
  for (const Origin& origin : origins_) {
    if (origin.broken || origin.outbox->batches() == 0) continue;
    return std::to_string(origin.outbox->batches()) + " batches of " + origin.name.value +
           " are kept for ever";
  }
  return failure_;
}

}  // namespace tributary::simulation
