/// What the services write.
#include <algorithm>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>

#include "tests/simulation/expectation.h"
#include "tests/simulation/world.h"

namespace tributary::simulation {

/// What a service saw in its region, or what a careless or malicious one makes up.
std::optional<VersionVector> World::random_context(Origin& origin, const std::string& key) {
  if (traits_.forgeries && dice_.chance(0.3)) {
    VersionVector context = origin.outbox->told().watermark();
    for (const auto& [actor, owner] : witness_.owners()) {
      const std::uint64_t ahead = dice_.chance(0.5) ? std::uint64_t{1} << 62 : dice_.below(100);
      if (dice_.chance(0.5)) context.raise(actor, Seq{witness_.all().get(actor).value + ahead});
    }
    if (dice_.chance(0.3)) context.raise(ActorId{dice_.bits()}, Seq{1 + dice_.below(100)});
    return context;
  }
  if (!dice_.chance(0.2)) return std::nullopt;
  auto store = origin.region->replica.open();
  if (!store) return std::nullopt;
  const auto reading = (*store)->read(key);
  if (!reading) return std::nullopt;
  return reading->context;
}

/// Of a key that few write: whoever saw its first value writes the second, or removes it. What goes
/// wrong with these is never covered up.
std::optional<Change> World::rare_change(Origin& origin) {
  if (rare_.empty() || dice_.chance(0.4)) {
    const bool set = dice_.chance(traits_.slow_links ? 0.8 : 0.5);
    rare_.push_back((set ? "s" : "r") + std::to_string(1000 + rare_.size()));
    return set ? set::add(rare_.back(), "y") : register_::set(rare_.back(), "first");
  }
  const std::string& key =
      rare_[rare_.size() - 1 - dice_.below(std::min<std::size_t>(rare_.size(), 16))];
  const bool set = key.front() == 's';
  if (dice_.chance(0.1)) return set ? set::add(key, "z") : register_::set(key, "unseen");
  if (read(origin.region->replica, key).empty()) return std::nullopt;
  return set ? set::remove(key, "y") : register_::set(key, "second");
}

/// Many of a key that is blocked: the order in which they are retried matters.
Change World::contested_change() {
  const std::string value(1, static_cast<char>('w' + dice_.below(4)));
  if (contested_.front() == 'c') return counter::add(contested_, 1);
  if (contested_.front() == 'r') return register_::set(contested_, value);
  if (dice_.chance(0.6)) return set::add(contested_, value);
  return set::remove(contested_, value);
}

Change World::random_change(Origin& origin) {
  if (!contested_.empty() && dice_.chance(0.2)) return contested_change();
  if (dice_.chance(traits_.slow_links ? 0.5 : 0.25)) {
    if (auto change = rare_change(origin)) return *change;
  }
  // Some keys are written all the time; what goes wrong with others is not soon covered up.
  const std::string key = std::to_string(dice_.below(dice_.chance(0.4) ? 3 : 25));
  const std::string element(1, static_cast<char>('y' + dice_.below(2)));
  const std::string value = "v" + std::to_string(dice_.below(1000));
  switch (dice_.below(10)) {
    case 0:
    case 1: return counter::add("c" + key, static_cast<std::int64_t>(dice_.below(200)) - 100);
    case 2: return register_::set("r" + key, value);
    case 3: return dice_.chance(0.3) ? register_::clear("r" + key) : register_::set("r" + key, "w");
    case 4:
    case 5: return set::add("s" + key, element);
    case 6: return set::remove("s" + key, element, random_context(origin, "s" + key));
    case 7: {
      if (!dice_.chance(0.3)) return set::add("s" + key, element);
      return set::clear("s" + key, random_context(origin, "s" + key));
    }
    case 8: {
      if (!traits_.disagreement) return set::add("s" + key, element);
      if (&origin == &origins_.front()) return counter::add("d" + key, 1);
      return set::add("d" + key, element);
    }
    default: {
      const bool known = origin.schema.keyspaces.size() == schema_.keyspaces.size();
      return register_::set((known ? "n" : "r") + key, value);
    }
  }
}

/// Both halves of an amount stand at the ends, so that a reader who sees one half only is caught.
std::vector<Change> World::random_changes(Origin& origin) {
  std::vector<Change> changes{History::marker(history_.next())};
  const auto amount = static_cast<std::int64_t>(1 + dice_.below(9));
  changes.push_back(counter::add("half:left", amount));
  for (std::uint64_t i = dice_.below(4); i > 0; --i) changes.push_back(random_change(origin));
  changes.push_back(counter::add("half:right", amount));
  return changes;
}

void World::write() {
  Origin& origin = some_origin();
  clock_.advance(Micros{1});
  if (origin.narrow) return;
  const double fault = std::exchange(fault_, 0);  // whether a failed commit took effect is no
                                                  // question here
  write(origin, std::nullopt);
  fault_ = fault;
}

/// Commits `only`, or changes by chance, perhaps.
void World::write(Origin& origin, const std::optional<Change>& only) {
  auto session = origin.outbox->open_session();
  if (!session->begin()) return;
  const WriterContext told = origin.outbox->told();
  const std::vector<Change> changes =
      only ? std::vector{History::marker(history_.next()), *only} : random_changes(origin);
  Transaction transaction(session->outbox());
  for (const Change& change : changes) {
    if (const auto written = transaction.write(change); !written && !failure_) {
      failure_ = "a legal change was refused: " + written.error().message;
    }
  }
  if (!only && dice_.chance(0.15)) {
    if (transaction.flush()) static_cast<void>(session->rollback());
    trace("rolled back at " + origin.name.value);
  } else if (transaction.commit()) {
    std::string said =
        "transaction " + std::to_string(history_.next()) + " at " + origin.name.value;
    for (const Change& change : changes) {
      said += ", " + change.key + " " + change.operation + " " + change.value;
    }
    trace(said);
    history_.committed(origin.name.value, changes, told);
  }
}

}  // namespace tributary::simulation
