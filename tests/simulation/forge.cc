/// Messages that lie: what is no batch, what belongs to another origin, and batches in the name of
/// another origin's actor. They must be set aside, whatever they say.
#include <algorithm>

#include "world.h"

#include <tributary/crdt/context_table.h>
#include <tributary/crdt/type.h>

namespace tributary::simulation {
namespace {

std::string counted(const OriginName& origin, ActorId actor, Seq first, Seq last) {
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
                      .deltas = {{"c0", "counter", last, body}}});
}

}  // namespace

void World::forge() {
  if (!traits_.forgeries) return;
  Origin& origin = some_origin();
  if (origin.broken) return;
  if (dice_.chance(0.7)) return forge_batch(origin);
  const std::string bytes = dice_.chance(0.5)
                                ? "no batch, number " + std::to_string(dice_.below(1000))
                                : counted({"stranger"}, ActorId{1}, Seq{1}, Seq{1});
  witness_.forged(bytes);
  const auto session = origin.region->broker.session("forger");
  auto writer = session->open_writer(origin.name);
  if (writer && (*writer)->publish(1, bytes)) trace("nonsense in the log of " + origin.name.value);
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
  const Seq last{first.value + dice_.below(1'000'000)};
  const std::string bytes = counted(origin.name, victim, first, last);
  witness_.forged(bytes);
  const auto session = origin.region->broker.session("forger");
  auto writer = session->open_writer(origin.name);
  if (!writer || !(*writer)->publish(1, bytes)) return;
  trace("a batch in the name of actor " + victim.hex() + " in the log of " + origin.name.value);
}

}  // namespace tributary::simulation
