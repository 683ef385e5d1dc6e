/// A writer of plain SQL may claim to have seen what nobody can: it removes nothing that is to
/// come.
#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>

#include <tributary/crdt/type.h>

#include "outbox/batch/sealing.h"
#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/psql.h"
#include "tests/conformance/outbox_store/shell_sqlite.h"

namespace tributary::outbox_suite {
namespace {

constexpr ActorId kOther{5};
constexpr Seq kKnown{6};

VersionVector of_other(Seq seq) {
  VersionVector context;
  context.raise(kOther, seq);
  return context;
}

/// "ok", or the error's message.
template <typename Kind>
std::string remove_having_seen(const Backend& backend, const VersionVector& context) {
  if constexpr (std::is_same_v<Kind, Postgres>) {
    return Psql(postgres_url(backend))
        .run("SELECT tributary.set_remove('set:a', 'x', '" + context.token() + "')");
  } else {
    return Shell(sqlite_path(backend))
        .insert(", value, context", "'set:a', 'set', 'remove', 'x', x'" + context.token() + "'");
  }
}

/// The batch that a relay makes of what waits.
Batch sealed(OutboxStore& store) {
  const StoredSchema schema = must(store.schema());
  SealRules rules;
  rules.schema = &schema;
  rules.clock = kMaxClock;
  rules.known = of_other(kKnown);
  TotalsCache totals;
  const auto rows = must(store.begin_seal({100}));
  const SealResult sealing = seal({ActorId{7}, origin(), Seq{}, Hlc{}}, rows, rules, totals);
  store.abort_seal();
  CHECK(sealing.parked.empty());
  REQUIRE(sealing.batches.size() == 1);
  return *decode_batch(sealing.batches[0].bytes);
}

/// Whether the element that the other actor adds with `seq` is in the set of a region that has
/// applied the batch before.
bool stays(const Batch& batch, Seq seq) {
  const crdt::Type& sets = *crdt::find_type("set");
  crdt::SealedChange add;
  add.seq = seq;
  add.operation = crdt::find_operation(sets, "add");
  add.value = "x";
  crdt::ContextTable none;
  const std::string added = sets.seal(kOther, {&add, 1}, none);
  crdt::State state;
  state.set_complete();
  crdt::ViewEdits edits;
  const VersionVector before = of_other(Seq{seq.value - 1});
  const Delta& remove = batch.deltas.at(0);
  sets.join(remove.body, {batch.actor, remove.last_seq, batch.contexts, &before}, state, edits);
  sets.join(added, {kOther, seq, {}, &before}, state, edits);
  const crdt::ViewEdits view = sets.render(state);
  return std::ranges::any_of(
      view, [](const crdt::ViewEdit& edit) { return crdt::entry_of(edit)->name == "x"; });
}

}  // namespace

TEST_CASE_TEMPLATE("a token that claims what its actor has not written yet removes none of it",
                   Kind, Sqlite, Postgres) {
  OUTBOX_SUITE_BACKEND(Kind);
  const auto store = backend->open_store();
  lead(*store);
  must(store->set_context(of_other(kKnown), Hlc{1}));
  for (const std::uint64_t ahead : {std::uint64_t{1}, std::uint64_t{1'000'000},
                                    std::uint64_t{1} << 31, std::uint64_t{1} << 62}) {
    CAPTURE(ahead);
    const auto claim = of_other(Seq{kKnown.value + ahead});
    REQUIRE(remove_having_seen<Kind>(*backend, claim) == "ok");
    const Batch batch = sealed(*store);
    for (const VersionVector& context : batch.contexts) CHECK(context.get(kOther) <= kKnown);
    CHECK_FALSE(stays(batch, kKnown));  // it was seen
    CHECK(stays(batch, kKnown.next()));
  }
}

}  // namespace tributary::outbox_suite
