/// What a person does: decides what is in doubt, moves foreign views away, retries what is parked.
#include <algorithm>

#include "consumer/retry.h"
#include "tests/simulation/world.h"

namespace tributary::simulation {

void World::retry_somewhere() {
  if (dice_.chance(0.3)) mend_views();
  Region& region = some_region();
  auto store = region.replica.open();
  if (!store) return;
  trace("parked retry");
  static_cast<void>(retry_all(**store, old_schema_));
}

/// Whole transactions, by retry or discard.
void World::decide_parked(Origin& origin) {
  const double fault = std::exchange(fault_, 0);
  auto store = origin.outbox->open_store();
  struct Group {
    std::set<std::size_t> numbers;  ///< transactions that share a number
    bool doubted = false;
  };
  std::map<std::int64_t, Group> groups;
  const auto parked = store->parked(0, 100'000);
  for (const ParkedChange& each : *parked) {
    Group& group = groups[each.transaction];
    const bool doubted = each.reason.find("in doubt") != std::string::npos;
    const bool lacked = each.reason.find("no keyspace matches") != std::string::npos;
    if (!doubted && !(lacked && traits_.parking) && !failure_) {
      failure_ = "a legal row was parked: " + each.reason;
    }
    group.doubted |= doubted;
    if (const auto marked = History::marked_by(each.key)) group.numbers.insert(*marked);
  }
  for (const auto& [transaction, group] : groups) {
    const bool retry = dice_.chance(0.5);
    for (const std::size_t number : group.numbers) {
      trace("parked: transaction " + std::to_string(number) +
            (retry ? " is retried" : " is discarded"));
      history_.decided(number, retry, group.doubted);
    }
    if (group.numbers.empty() && !failure_) failure_ = "half a transaction is parked";
    if (retry) note(store->retry_parked(transaction).map([](std::uint64_t) {}), false);
    else discard(origin, transaction, group.numbers);
  }
  fault_ = fault;
}

void World::discard(Origin& origin, std::int64_t transaction,
                    const std::set<std::size_t>& numbers) {
  auto store = origin.outbox->open_store();
  const std::size_t before = store->discarded(100'000)->size();
  note(store->discard_parked(transaction).map([](std::uint64_t) {}), false);
  const auto discarded = store->discarded(100'000);
  for (std::size_t i = before; i < discarded->size(); ++i) {
    witness_.discards((*discarded)[i].rows.tag, numbers);
  }
}

/// Deletes what of another Redis type stands in a view's place.
void World::mend_views() {
  const double fault = std::exchange(fault_, 0);
  for (auto& region : regions_) {
    if (region->away) continue;
    auto store = region->replica.open();
    for (const std::string& key : touched_) {
      const auto view = (*store)->view(key, 0);
      if (view->found == "hash") region->replica.drop_view(key);
    }
    region->blocked = false;
  }
  contested_.clear();
  fault_ = fault;
}

/// Messages that lie are looked at and discarded; there must be no others.
void World::discard_forgeries() {
  for (auto& region : regions_) {
    auto store = region->replica.open();
    const auto parked = (*store)->parked("", 100'000);
    std::vector<std::string> ids;
    for (const ParkedEntry& each : *parked) {
      if (!each.key.empty()) continue;
      ids.push_back(each.id);
      // Whom a region goes by that could not be asked, after its log was lost, nobody can name.
      const bool unnamed = traits_.log_losses && traits_.restores &&
                           each.reason.find("without naming it") != std::string::npos;
      region->refused = region->refused || unnamed;
      if (!witness_.is_forged(each.bytes) && !unnamed && !failure_) {
        failure_ = "an honest message was parked: " + each.reason;
      }
    }
    note(discard_parked(**store, ids).map([](std::uint64_t) {}), false);
  }
}

/// One retry must do, also while the keys are being written.
void World::mend() {
  mend_views();
  for (int round = 0; round < 30; ++round) {
    if (round % 3 == 0) write();
    step_all();
    if (round == 15) {
      for (auto& region : regions_) {
        auto store = region->replica.open();
        note(retry_all(**store, consumer_settings_.schema).map([](const RetryReport&) {}), false);
      }
    }
    clock_.advance(Micros{20'000});
  }
}

}  // namespace tributary::simulation
