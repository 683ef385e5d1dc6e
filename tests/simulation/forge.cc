/// Messages that lie: what is no batch, what belongs to another origin, and batches in the name of
/// another origin's actor. They must be set aside, whatever they say.
#include <algorithm>

#include <tributary/crdt/context_table.h>
#include <tributary/crdt/type.h>

#include "outbox/batch/sealing.h"
#include "tests/simulation/world.h"

namespace tributary::simulation {
namespace {

std::string counted(const OriginName& origin, ActorId actor, Seq first, Seq last) {
  const std::uint64_t rows = std::min(last.value - first.value + 1, kMostChanges);
  const crdt::Type& type = *crdt::find_type("counter");
  crdt::SealedChange change;
  change.seq = last;
  change.hlc = Hlc::from_micros(1'700'000'000'000'000);
  change.operation = crdt::find_operation(type, "add");
  change.totals = {777'777, 0};
  crdt::ContextTable contexts;
  const std::string body = type.seal(actor, {&change, 1}, contexts);
  return encode(Batch{.actor = actor,
                      .origin = origin,
                      .first_seq = first,
                      .last_seq = last,
                      .hlc = change.hlc,
                      .rows = {{.first_id = 1, .last_id = static_cast<std::int64_t>(rows)}},
                      .deltas = {{"c0", "counter", last, body}}});
}

}  // namespace

void World::forge() {
  Origin& origin = some_origin();
  if (origin.broken) return;
  if (dice_.chance(0.4)) return forge_batch(origin);
  if (dice_.chance(0.6)) return forge_own(origin);
  const std::string bytes = dice_.chance(0.5)
                                ? "no batch, number " + std::to_string(dice_.below(1000))
                                : counted({"stranger"}, ActorId{1}, Seq{1}, Seq{1});
  witness_.forged(bytes);
  const auto session = origin.region->broker.session("forger");
  auto writer = session->open_writer(origin.name);
  if (writer && (*writer)->publish(1, bytes)) trace("nonsense in the log of " + origin.name.value);
}

/// In the origin's own name: of nobody's actor, or of its own with seqs that nothing accounts for.
void World::forge_own(Origin& origin) {
  std::vector<ActorId> own;
  for (const auto& [actor, owner] : witness_.owners()) {
    if (owner == origin.name) own.push_back(actor);
  }
  // Where the first messages may go, a replica cannot know better than to believe the next.
  if (own.empty() || traits_.log_losses) return;
  const ActorId actor = own[dice_.below(own.size())];
  const ActorId stranger = ActorId::make(origin.name, 1'000'000 + dice_.below(1'000'000));
  const Seq next = witness_.all().get(actor).next();
  const Seq far{next.value + (std::uint64_t{1} << dice_.below(62)) + kMostChanges};
  std::string bytes;
  if (dice_.chance(0.4)) bytes = counted(origin.name, actor, next, far);
  else if (dice_.chance(0.5)) bytes = counted(origin.name, stranger, Seq{1}, Seq{5});
  else bytes = heartbeat({stranger, origin.name, Seq{}, Hlc{}}, {}, Hlc{stranger.value});
  witness_.forged(bytes);
  const auto session = origin.region->broker.session("forger");
  auto writer = session->open_writer(origin.name);
  if (writer && (*writer)->publish(1, bytes)) trace("a lie in the log of " + origin.name.value);
}

/// In the name of an actor of another origin.
void World::forge_batch(Origin& origin) {
  std::vector<ActorId> victims;
  for (const auto& [actor, owner] : witness_.owners()) {
    if (owner != origin.name) victims.push_back(actor);
  }
  if (victims.empty()) return;
  const ActorId victim = victims[dice_.below(victims.size())];
  const Seq first = witness_.all().get(victim).next();
  const Seq last{first.value + dice_.below(1'000)};
  const std::string bytes = counted(origin.name, victim, first, last);
  witness_.forged(bytes);
  const auto session = origin.region->broker.session("forger");
  auto writer = session->open_writer(origin.name);
  if (!writer || !(*writer)->publish(1, bytes)) return;
  trace("a batch in the name of actor " + victim.hex() + " in the log of " + origin.name.value);
}

}  // namespace tributary::simulation
