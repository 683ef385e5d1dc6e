#include "tests/laws/world.h"

#include <ostream>

namespace tributary::laws {
namespace {

constexpr std::int64_t kMaxSkewMicros = 4;  // beyond it, sealing clamps
constexpr std::int64_t kWorstSkewMicros = 8;

}  // namespace

World::World(const crdt::Type& type, const Plan& plan, Story story)
    : type_(type), plan_(plan), story_(story) {
  Dice dice(plan.setup);
  const auto replicas = static_cast<std::size_t>(dice.between(2, 4));
  const auto actors = static_cast<std::size_t>(dice.between(1, 4));
  for (std::size_t i = 0; i < actors; ++i) {
    authors_.emplace_back(ActorId{dice.next()}, dice.below(replicas),
                          dice.between(-kWorstSkewMicros, kWorstSkewMicros));
  }
  replicas_.resize(replicas);
  snapshots_.resize(replicas);
}

void World::run() {
  for (const std::uint64_t seed : plan_.steps) {
    Dice dice(seed);
    now_micros_ += dice.below(3);  // often the same instant: ties
    step(dice);
    if (after_step) after_step();
  }
}

void World::step(Dice& dice) {
  const std::size_t chance = dice.below(100);
  if (chance < 35) return write(dice);
  if (chance < 42) return authors_[dice.below(authors_.size())].seal(type_, 1 + dice.below(6));
  if (chance < 84) return deliver(dice);
  if (chance < 91) return merge_states(dice);
  if (chance < 93) return prune(dice);
  if (chance < 96) {
    const std::size_t replica = dice.below(replicas_.size());
    if (story_) *story_ << "snapshot of replica " << replica << '\n';
    snapshots_[replica].push_back(replicas_[replica]);
    return;
  }
  roll_back(dice);
}

void World::write(Dice& dice) {
  Author& author = authors_[dice.below(authors_.size())];
  const auto clock = static_cast<std::int64_t>(now_micros_) + author.skew_micros();
  const auto latest = static_cast<std::int64_t>(now_micros_) + kMaxSkewMicros;
  for (std::size_t left = 1 + dice.below(3); left > 0; --left) {
    const Event& event =
        author.write(type_,
                     {Hlc::from_micros(static_cast<std::uint64_t>(clock)),
                      Hlc::from_micros(static_cast<std::uint64_t>(latest)),
                      context_for(author, dice), dice.percent(5), dice.percent(15)},
                     dice);
    if (story_) *story_ << "write " << event << '\n';
  }
}

/// Mostly the home replica's watermark, sometimes an older one, seldom that of another region.
VersionVector World::context_for(const Author& author, Dice& dice) const {
  const bool elsewhere = dice.percent(10);
  const std::size_t replica = elsewhere ? dice.below(replicas_.size()) : author.home();
  const VersionVector& watermark = replicas_[replica].watermark;
  if (!dice.percent(30)) return watermark;
  VersionVector older;
  for (const auto& [actor, seq] : watermark) older.raise(actor, Seq{dice.below(seq.value + 1)});
  return older;
}

void World::deliver(Dice& dice) {
  const std::size_t replica = dice.below(replicas_.size());
  Author& author = authors_[dice.below(authors_.size())];
  for (std::size_t left = 1 + dice.below(3); left > 0; --left) {
    const Seq have = replicas_[replica].watermark.get(author.actor());
    const auto& batches = author.batches();
    if (!batches.empty() && dice.percent(10)) {
      const SealedDeltas& again = batches[dice.below(batches.size())];
      if (again.last <= have) receive(replica, again);
    }
    if (author.after(have) == nullptr) author.seal(type_, 1 + dice.below(6));
    const SealedDeltas* batch = author.after(have);
    if (batch == nullptr) return;
    if (dice.percent(10)) return crash_within(replica, *batch, dice);
    receive(replica, *batch);
  }
}

void World::receive(std::size_t replica, const SealedDeltas& batch) {
  if (story_) {
    *story_ << "replica " << replica << " receives " << batch.actor.hex() << ':'
            << batch.first.value << ".." << batch.last.value << '\n';
  }
  for (const KeyDelta& delta : batch.deltas) join_one(replica, batch, delta);
  replicas_[replica].watermark.raise(batch.actor, batch.last);
}

/// Some keys have the batch, the watermark does not tell: what is left after a crash between hash
/// slots of a cluster.
void World::crash_within(std::size_t replica, const SealedDeltas& batch, Dice& dice) {
  for (const KeyDelta& delta : batch.deltas) {
    if (dice.percent(60)) join_one(replica, batch, delta);
  }
  if (story_) *story_ << "... and crashed before its watermark was written\n";
}

void World::join_one(std::size_t replica, const SealedDeltas& batch, const KeyDelta& delta) {
  if (story_) {
    *story_ << "replica " << replica << " joins key " << delta.key << " of " << batch.actor.hex()
            << ':' << batch.first.value << ".." << batch.last.value << '\n';
  }
  if (before_join) before_join({replicas_[replica], batch, delta});
  join(type_, replicas_[replica], batch, delta);
}

void World::merge_states(Dice& dice) {
  const std::size_t mine = dice.below(replicas_.size());
  const std::size_t theirs = dice.below(replicas_.size());
  if (mine == theirs) return;
  if (dice.percent(20)) {
    const std::size_t key = dice.below(kKeys);
    if (story_) {
      *story_ << "replica " << mine << " merges key " << key << " of replica " << theirs
              << " and crashes\n";
    }
    return merge_key(type_, replicas_[mine], replicas_[theirs], key);
  }
  if (story_) *story_ << "replica " << mine << " merges replica " << theirs << '\n';
  merge(type_, replicas_[mine], replicas_[theirs]);
}

void World::prune(Dice& dice) {
  const std::size_t replica = dice.below(replicas_.size());
  if (story_) *story_ << "replica " << replica << " prunes\n";
  for (KeyCopy& copy : replicas_[replica].keys) {
    type_.prune(copy.state, replicas_[replica].watermark);
  }
}

void World::roll_back(Dice& dice) {
  const std::size_t replica = dice.below(replicas_.size());
  const auto& snapshots = snapshots_[replica];
  if (!snapshots.empty()) {
    if (story_) *story_ << "replica " << replica << " goes back to its last snapshot\n";
    replicas_[replica] = snapshots.back();
  } else if (dice.percent(30)) {
    if (story_) *story_ << "replica " << replica << " loses everything\n";
    replicas_[replica] = Replica{};
  }
}

void World::seal_everything() {
  for (Author& author : authors_) author.seal(type_, author.unsealed());
}

void World::finish() {
  seal_everything();
  for (std::size_t replica = 0; replica < replicas_.size(); ++replica) {
    for (const Author& author : authors_) {
      while (const auto* batch = author.after(replicas_[replica].watermark.get(author.actor()))) {
        receive(replica, *batch);
      }
    }
  }
  if (after_step) after_step();
}

const Replica& World::any_replica(Dice& dice) const {
  const std::size_t replica = dice.below(replicas_.size());
  const auto& snapshots = snapshots_[replica];
  const std::size_t chosen = dice.below(snapshots.size() + 1);
  return chosen == snapshots.size() ? replicas_[replica] : snapshots[chosen];
}

VersionVector World::everything() const {
  VersionVector all;
  for (const Author& author : authors_) all.raise(author.actor(), Seq{author.events().size()});
  return all;
}

std::vector<Event> World::visible(std::size_t key, const VersionVector& watermark) const {
  std::vector<Event> events;
  for (const Author& author : authors_) {
    for (const Event& event : author.events()) {
      if (event.key == key && watermark.covers({event.actor, event.seq})) events.push_back(event);
    }
  }
  return events;
}

}  // namespace tributary::laws
