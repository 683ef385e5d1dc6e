/// Laws of one join: the touched fields are enough, and the edits keep the view in step.
#include <sstream>

#include <doctest/doctest.h>

#include "tests/laws/law.h"
#include "tests/laws/world.h"

namespace tributary::laws {
namespace {

/// Carries the changed fields of a partial state over, as a store's commit does.
void write_back(const crdt::State& partial, crdt::State& whole) {
  for (const crdt::State::Field& field : partial.fields()) {
    if (!field.changed) continue;
    if (field.value) whole.set(field.name, *field.value);
    else whole.erase(field.name);
  }
}

void join_both_ways(const crdt::Type& type, const Joining& joining) {
  const KeyCopy& copy = joining.replica.keys[joining.delta.key];
  const crdt::DeltaSource source{joining.batch.actor, joining.delta.last_seq,
                                 joining.batch.contexts, &joining.replica.watermark};
  const auto touched = type.touched(joining.delta.body, bounds_of(joining.batch));
  require(touched.has_value(), "touched() refuses a delta that seal() made");
  crdt::State partial = load(copy.state, *touched);
  require(partial.loaded(type.head), "a delta does not touch the head field");
  crdt::ViewEdits partial_edits;
  const auto by_part = type.join(joining.delta.body, source, partial, partial_edits);
  KeyCopy by_parts = copy;
  write_back(partial, by_parts.state);
  carry_out(by_parts.view, type.view, partial_edits);

  KeyCopy whole = copy;
  crdt::ViewEdits edits;
  const auto joined = type.join(joining.delta.body, source, whole.state, edits);
  carry_out(whole.view, type.view, edits);
  require(fields_of(by_parts.state) == fields_of(whole.state),
          "a join into the touched fields differs from one into the complete state");
  require(by_parts.view == whole.view, "a join into the touched fields edits the view differently");
  require(by_part.deferring == joined.deferring, "the two joins tell differently about deferring");
}

void parts_are_enough(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.before_join = [&](const Joining& joining) { join_both_ways(type, joining); };
  world.run();
}

/// The pruning of a state by its head and the fields that head names.
crdt::State prune_by_parts(const crdt::Type& type, const crdt::State& whole,
                           const VersionVector& watermark, bool& deferring) {
  const crdt::State head = load(whole, {false, {std::string(type.head)}});
  crdt::State partial = load(whole, type.deferred(head));
  crdt::State result = whole;
  if (partial.fields().empty()) return result;  // nothing to prune, ever
  deferring = type.prune(partial, watermark).deferring;
  write_back(partial, result);
  return result;
}

void prune_both_ways(const World& world, const VersionVector& watermark) {
  for (const Replica& replica : world.replicas()) {
    for (const KeyCopy& copy : replica.keys) {
      bool by_parts_deferring = false;
      const auto by_parts = prune_by_parts(world.type(), copy.state, watermark, by_parts_deferring);
      crdt::State whole = copy.state;
      const bool deferring = world.type().prune(whole, watermark).deferring;
      require(fields_of(by_parts) == fields_of(whole),
              "pruning the deferring fields differs from pruning the complete state");
      require(by_parts_deferring == deferring, "the two prunings tell differently about deferring");
      require(!deferring || world.type().defers, "a type that never defers does");
      if (watermark == world.everything()) {
        require(!deferring, "pruning by the watermark of everything leaves something deferred");
      }
    }
  }
}

void pruning_parts_is_enough(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.run();
  for (const Replica& replica : world.replicas()) prune_both_ways(world, replica.watermark);
  prune_both_ways(world, world.everything());
}

/// A join that says "nothing deferred" left nothing that pruning could ever drop.
void joins_tell_what_they_defer(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  const VersionVector nothing;
  world.before_join = [&](const Joining& joining) {
    crdt::State state = joining.replica.keys[joining.delta.key].state;
    const crdt::DeltaSource source{joining.batch.actor, joining.delta.last_seq,
                                   joining.batch.contexts, &joining.replica.watermark};
    crdt::ViewEdits edits;
    const bool told = type.join(joining.delta.body, source, state, edits).deferring;
    crdt::State unpruned = state;
    const bool left = type.prune(unpruned, nothing).deferring;
    require(told == left, "a join tells the wrong thing about deferred removes");
    require(fields_of(unpruned) == fields_of(state),
            "pruning by an empty watermark drops something");
  };
  world.run();
}

void edits_keep_the_view(const crdt::Type& type, const Plan& plan, Story story) {
  World world(type, plan, story);
  world.after_step = [&] {
    for (const Replica& replica : world.replicas()) {
      for (const KeyCopy& copy : replica.keys) {
        const View whole = shown(type, copy.state);
        if (copy.view == whole) continue;
        std::ostringstream what;
        what << "the edits led to" << copy.view << ", the state shows" << whole;
        throw Broken(what.str());
      }
    }
  };
  world.run();
  world.finish();
}

TEST_CASE("joining into the touched fields equals joining into the complete state") {
  check_law("parts are enough", parts_are_enough);
}

TEST_CASE("pruning the deferring fields equals pruning the complete state") {
  check_law("pruning parts is enough", pruning_parts_is_enough);
}

TEST_CASE("a join tells whether anything is deferred") {
  check_law("joins tell what they defer", joins_tell_what_they_defer);
}

TEST_CASE("the view kept by edits equals the rendered state at every step") {
  check_law("edits keep the view", edits_keep_the_view);
}

}  // namespace
}  // namespace tributary::laws
