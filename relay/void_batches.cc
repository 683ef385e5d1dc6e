#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include <tributary/base/log.h>
#include <tributary/outbox/unsealing.h>
#include <tributary/relay/changelog_scan.h>
#include <tributary/relay/void_batches.h>

namespace tributary {
namespace {

constexpr SealLimit kPage{16, std::size_t{16} << 20};

constexpr std::string_view kInDoubt =
    "in doubt after a restore: it was sealed and not published, and it cannot be told whether it "
    "was published otherwise";

Result<void> each_unconfirmed(OutboxStore& store,
                              const std::function<Result<void>(SealedBatch)>& visit) {
  std::int64_t after = 0;
  while (true) {
    TRIBUTARY_ASSIGN(auto page, store.unconfirmed(after, kPage));
    if (page.empty()) return {};
    for (SealedBatch& batch : page) {
      after = batch.position;
      TRIBUTARY_TRY(visit(std::move(batch)));
    }
  }
}

/// How many of certain rows stand in batches of a changelog.
class Consumption {
 public:
  void watch(std::span<const ConsumedRows> rows) {
    for (const ConsumedRows& each : rows) {
      count_ += static_cast<std::size_t>(each.last_id - each.first_id + 1);
      runs_[each.tag].push_back(each);
    }
  }
  void take(const Batch& batch) {
    for (const ConsumedRows& taken : batch.rows) {
      const auto known = runs_.find(taken.tag);
      if (known == runs_.end()) continue;
      for (const ConsumedRows& run : known->second) {
        if (run.transaction != taken.transaction) continue;
        const std::int64_t last = std::min(run.last_id, taken.last_id);
        for (auto id = std::max(run.first_id, taken.first_id); id <= last; ++id) {
          found_.insert({taken.tag, id});
        }
      }
    }
  }
  [[nodiscard]] bool none() const { return found_.empty(); }
  [[nodiscard]] bool all() const { return count_ > 0 && found_.size() == count_; }

 private:
  std::size_t count_ = 0;
  std::unordered_map<std::uint64_t, std::vector<ConsumedRows>> runs_;  ///< by tag
  std::set<std::pair<std::uint64_t, std::int64_t>> found_;
};

/// Whether a changelog still holds all that may have consumed a batch's rows: what was published of
/// its actor from there on, and of those that followed.
class Reach {
 public:
  Reach(const Batch& batch, std::span<const FormerActor> chain) {
    const auto own = std::ranges::find(chain, batch.actor, &FormerActor::actor);
    for (auto each = own; each != chain.end(); ++each) {
      next_[each->actor] = each == own ? batch.first_seq : Seq{1};
      last_[each->actor] = each->final_seq;
    }
  }
  void take(const Batch& batch) {
    const auto next = next_.find(batch.actor);
    if (next == next_.end() || batch.first_seq > next->second) return;
    next->second = std::max(next->second, batch.last_seq.next());
  }
  [[nodiscard]] bool complete() const {
    return std::ranges::all_of(
        next_, [&](const auto& each) { return each.second > last_.at(each.first); });
  }

 private:
  std::map<ActorId, Seq> next_;
  std::map<ActorId, Seq> last_;
};

/// A void batch, and what the changelog says of its rows.
struct VoidBatch {
  VoidBatch(std::int64_t at, Batch sealed, std::vector<UnsealedRow> unsealed,
            std::span<const FormerActor> chain)
      : position(at), batch(std::move(sealed)), rows(std::move(unsealed)), reach(batch, chain) {
    as_written.watch(batch.rows);
    for (const UnsealedRow& row : rows) {
      const ConsumedRows one{row.transaction, row.id, row.id, row.tag};
      as_unsealed.watch({&one, 1});
    }
  }
  void take(const Batch& published) {
    as_written.take(published);
    as_unsealed.take(published);
    reach.take(published);
  }
  [[nodiscard]] bool published() const { return as_written.all() || as_unsealed.all(); }
  [[nodiscard]] bool unheard_of() const {
    return as_written.none() && as_unsealed.none() && reach.complete();
  }

  std::int64_t position;
  Batch batch;
  std::vector<UnsealedRow> rows;
  Consumption as_written;
  Consumption as_unsealed;
  Reach reach;
};

class Resealer {
 public:
  Resealer(Leadership& leadership, const Succession& succession, const SealRules& rules)
      : leadership_(leadership), succession_(succession), rules_(rules) {}

  Result<std::vector<VoidBatch>> load() {
    std::vector<VoidBatch> all;
    TRIBUTARY_TRY(each_unconfirmed(succession_.store, [&](SealedBatch sealed) -> Result<void> {
      if (!leadership_.voided.contains(sealed.position)) return {};
      TRIBUTARY_ASSIGN(Batch batch, decode_batch(sealed.bytes));
      TRIBUTARY_ASSIGN(auto rows, unseal(batch, leadership_.former));
      all.emplace_back(sealed.position, std::move(batch), std::move(rows), leadership_.former);
      return {};
    }));
    TRIBUTARY_TRY(scan_changelog(succession_.changelog, succession_.origin, leadership_.others,
                                 finals_of(leadership_.former), std::nullopt,
                                 [&](const Batch& batch) {
                                   for (VoidBatch& each : all) each.take(batch);
                                   return Result<void>{};
                                 })
                      .map([](const auto&) {}));
    return all;
  }

  /// What follows the head for it; the value is the head behind that.
  Result<OriginHead> settle(const VoidBatch& voided, std::vector<SealedBatch>& sealed) {
    const bool told = voided.batch.deltas.empty();  // of discards: that again does no harm
    if (voided.published() && !told) return commit(voided, {}, {}, {}, "was published otherwise");
    if (!voided.unheard_of() && !told) return park(voided, std::string(kInDoubt));
    std::vector<OutboxRow> rows;
    for (const UnsealedRow& row : voided.rows) rows.push_back(row.view());
    // Whatever database holds its rows once more, they are consumed.
    sealed.push_back(seal_discarded(leadership_.head, leadership_.former, voided.batch.rows));
    OriginHead head = leadership_.head;
    head.seq = sealed.back().last_seq;
    if (rows.empty()) return commit(voided, sealed, head, {}, "is sealed anew");
    leadership_.totals.learn(leadership_.totals.unknown(rows), {});  // the actor is new
    Sealing sealing = seal(head, rows, rules_, leadership_.totals);
    if (!sealing.parked.empty() || !sealing.left.empty()) {
      unseal(sealing, rows, leadership_.totals);
      sealed.clear();
      return park(voided,
                  sealing.parked.empty() ? sealing.left_because : sealing.parked.front().reason);
    }
    for (SealedBatch& each : sealing.batches) sealed.push_back(std::move(each));
    return commit(voided, sealed, sealing.head, {}, "is sealed anew");
  }

 private:
  Result<OriginHead> park(const VoidBatch& voided, const std::string& reason) {
    return commit(voided, {}, {}, reason, "is parked: see `tributary parked list --origin`");
  }

  Result<OriginHead> commit(const VoidBatch& voided, std::span<const SealedBatch> batches,
                            std::optional<OriginHead> head, const std::string& reason,
                            std::string_view fate) {
    if (!head) head = leadership_.head;
    Resealing resealing{.position = voided.position, .batches = batches, .hlc = head->hlc};
    if (!reason.empty()) {
      resealing.parked = voided.rows;
      resealing.reason = reason;
    }
    TRIBUTARY_TRY(succession_.store.reseal(resealing));
    log::warn("a sealed batch can no longer be published, since another actor took over: it " +
                  std::string(fate),
              {{"origin", succession_.origin.value},
               {"actor", voided.batch.actor.hex()},
               {"first_seq", voided.batch.first_seq.value},
               {"last_seq", voided.batch.last_seq.value}});
    return *head;
  }

  Leadership& leadership_;
  const Succession& succession_;
  const SealRules& rules_;
};

}  // namespace

Result<Backlog> look_at_backlog(OutboxStore& store, std::span<const FormerActor> chain) {
  Backlog backlog;
  TRIBUTARY_TRY(each_unconfirmed(store, [&](const SealedBatch& batch) -> Result<void> {
    backlog.any = true;
    const auto actor = std::ranges::find(chain, batch.actor, &FormerActor::actor);
    const bool beyond = actor != chain.end() && batch.last_seq > actor->final_seq;
    if (beyond) backlog.voided.insert(batch.position);
    return {};
  }));
  return backlog;
}

Result<void> reseal_void(Leadership& leadership, const Succession& succession,
                         const SealRules& rules,
                         const std::function<void(SealedBatch)>& published) {
  Resealer resealer(leadership, succession, rules);
  TRIBUTARY_ASSIGN(const auto all, resealer.load());
  for (const VoidBatch& each : all) {
    std::vector<SealedBatch> sealed;
    TRIBUTARY_ASSIGN(leadership.head, resealer.settle(each, sealed));
    leadership.voided.erase(each.position);
    for (SealedBatch& batch : sealed) published(std::move(batch));
  }
  leadership.voided.clear();
  return {};
}

}  // namespace tributary
