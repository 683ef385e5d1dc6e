#include "cli/waiting_types.h"

#include <algorithm>
#include <string>
#include <vector>

#include "config/keyspace_changes.h"
#include "consumer/commit_group.h"
#include "outbox/batch/batch.h"

namespace tributary::cli {
namespace {

constexpr std::size_t kRowsAtOnce = 1000;
constexpr std::uint64_t kMostRows = 100'000;
constexpr SealLimit kBatchesAtOnce{16, std::size_t{16} << 20};
constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;

class Look {
 public:
  Look(const OriginName& origin, const Schema& before, const Schema& after, TypeChanges& changes)
      : origin_(origin), before_(before), after_(after), changes_(changes) {}

  void row(const WaitingRow& row) {
    // What the rules of now do not take is parked anyway.
    if (keyspace_type(before_, row.key) != row.type) return;
    const std::string_view to = keyspace_type(after_, row.key);
    if (to != row.type) note(row.key, row.type, to);
  }
  void delta(const Delta& delta) {
    const std::string_view to = keyspace_type(after_, delta.key);
    if (keyspace_type(before_, delta.key) == delta.type.name && other_type(delta.type.name, to)) {
      ++changes_.sealed;
      note(delta.key, delta.type.name, to);
    }
  }
  void too_many() {
    changes_.unasked.push_back("origin " + origin_.value +
                               ": more waits in its outbox than can be looked through; let its "
                               "relay publish it first");
  }
  void done() { changes_.waiting += waiting_; }

 private:
  void note(const std::string& key, const std::string& from, std::string_view to) {
    ++waiting_;
    const auto& told = changes_.told;
    if (told.size() >= kTypeChangesTold) return;
    if (std::ranges::find(told, key, &TypeChange::key) != told.end()) return;
    changes_.told.push_back({key, from, std::string(to), origin_.value});
  }

  const OriginName& origin_;
  const Schema& before_;
  const Schema& after_;
  TypeChanges& changes_;
  std::uint64_t waiting_ = 0;
};

Result<void> look_at_rows(OutboxStore& store, Look& look) {
  std::int64_t after = 0;
  for (std::uint64_t seen = 0; seen < kMostRows;) {
    TRIBUTARY_ASSIGN(const auto page, store.waiting(after, kRowsAtOnce));
    for (const WaitingRow& row : page) look.row(row);
    if (page.size() < kRowsAtOnce) return {};
    after = page.back().id;
    seen += page.size();
  }
  look.too_many();
  return {};
}

Result<void> look_at_batches(OutboxStore& store, Look& look) {
  std::int64_t after = 0;
  for (std::uint64_t seen = 0; seen < kMostBytes;) {
    const auto page = store.unconfirmed(after, kBatchesAtOnce);
    // Of a store that does not lead, this is how it says that there is none.
    if (!page && page.error().kind == ErrorKind::kConflict) return {};
    if (!page) return fail(page.error());
    if (page->empty()) return {};
    for (const SealedBatch& sealed : *page) {
      after = sealed.position;
      seen += sealed.bytes.size();
      const auto batch = decode_batch(sealed.bytes);
      if (!batch) continue;
      for (const Delta& delta : batch->deltas) look.delta(delta);
    }
  }
  look.too_many();
  return {};
}

/// Whether every key keeps its type: then nothing is looked through, however much waits.
bool keeps_types(const std::vector<Keyspace>& before, const std::vector<Keyspace>& after) {
  const auto kept = [&](const Keyspace& each) {
    return std::ranges::find(after, each) != after.end();
  };
  return std::ranges::all_of(before, kept) && !config::may_change_types(before, {}, after);
}

}  // namespace

Result<void> look_at_waiting(OutboxStore& store, const OriginName& origin, const Schema& before,
                             const Schema& after, TypeChanges& changes) {
  if (keeps_types(before.keyspaces, after.keyspaces)) return {};
  Look look(origin, before, after, changes);
  TRIBUTARY_TRY(look_at_rows(store, look));
  TRIBUTARY_TRY(look_at_batches(store, look));
  look.done();
  return {};
}

}  // namespace tributary::cli
