#include "relay/void_batches.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/log.h"
#include "outbox/batch/batch_draft.h"
#include "outbox/batch/unsealing.h"
#include "relay/backlog.h"
#include "relay/changelog_scan.h"

namespace tributary {
namespace {

constexpr std::string_view kInDoubt =
    "in doubt after a restore: it was sealed and not published, and it cannot be told whether it "
    "was published otherwise";
constexpr std::string_view kTooLarge = "sealed and not published, and too large to be sealed anew";

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
/// its actor from there on, its last seq that counts at least, and of those that followed.
class Reach {
 public:
  Reach(const Batch& batch, std::span<const FormerActor> chain) {
    const auto own = std::ranges::find(chain, batch.actor, &FormerActor::actor);
    for (auto each = own; each != chain.end(); ++each) {
      next_[each->actor] =
          each == own ? std::max(Seq{1}, std::min(batch.first_seq, each->final_seq)) : Seq{1};
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

/// The batch that stands for `voided`: with its rows, so that whatever database holds these once
/// more is known to have published them, and with as many seqs. Absent: it does not fit.
std::optional<SealedBatch> stand_in(const Batch& voided, const SealResult& sealing,
                                    std::span<const FormerActor> former) {
  if (sealing.batches.size() != 1 || voided.rows.empty()) return std::nullopt;
  auto batch = decode_batch(sealing.batches[0].bytes);
  if (!batch || batch->deltas.empty()) return std::nullopt;
  const std::uint64_t changes = voided.last_seq.value - voided.first_seq.value;
  batch->rows = voided.rows;
  batch->last_seq = Seq{batch->first_seq.value + changes};
  std::ranges::max_element(batch->deltas, {}, &Delta::last_seq)->last_seq = batch->last_seq;
  batch->predecessor.reset();
  batch->earlier.clear();
  name_former(*batch, former, batch->former_history);
  SealedBatch sealed{batch->actor, batch->first_seq, batch->last_seq, encode(*batch)};
  const bool fits = sealed.bytes.size() <= kMaxBatchBytes && decode_batch(sealed.bytes).has_value();
  if (!fits) return std::nullopt;
  return sealed;
}

class Resealer {
 public:
  Resealer(Leadership& leadership, const Succession& succession, const SealRules& rules)
      : leadership_(leadership), succession_(succession), rules_(rules) {}

  /// The first ones; none: all that are left are gone, or not understood.
  Result<std::vector<VoidBatch>> load(std::size_t bytes) {
    std::vector<VoidBatch> some;
    std::size_t taken = 0;
    TRIBUTARY_TRY(each_unconfirmed(succession_.store, [&](const SealedBatch& sealed) {
      if (!leadership_.voided.contains(sealed.position)) return true;
      if (load(sealed, some)) taken += sealed.bytes.size();
      return taken < bytes;
    }));
    if (some.empty()) return some;
    TRIBUTARY_TRY(scan_changelog(succession_.changelog, succession_.origin, leadership_.others,
                                 finals_of(leadership_.former), std::nullopt,
                                 [&](const Batch& batch) {
                                   for (VoidBatch& each : some) each.take(batch);
                                   return Result<void>{};
                                 })
                      .map([](const auto&) {}));
    return some;
  }

  /// What stands for it; nothing when it is gone or parked.
  Result<std::optional<SealedBatch>> settle(const VoidBatch& voided) {
    const bool tells = voided.batch.deltas.empty();  // of discards: that again does no harm
    if (tells) {
      return replace(voided,
                     seal_discarded(leadership_.head, leadership_.former, voided.batch.rows),
                     leadership_.head.hlc);
    }
    if (voided.published()) return take_away(voided, {}, "all of it was published otherwise");
    if (!voided.unheard_of()) return park(voided, kInDoubt);
    return seal_anew(voided);
  }

 private:
  bool load(const SealedBatch& sealed, std::vector<VoidBatch>& some) {
    auto batch = decode_batch(sealed.bytes);
    auto rows = batch ? unseal(*batch, leadership_.former)
                      : Result<std::vector<UnsealedRow>>(tl::unexpect, batch.error());
    if (!rows) {
      log::error(
          "a sealed batch can no longer be published, since another actor took over, nor be sealed "
          "anew: it stays in the outbox, unconfirmed",
          {{"origin", succession_.origin.value},
           {"actor", sealed.actor.hex()},
           {"first_seq", sealed.first_seq.value},
           {"last_seq", sealed.last_seq.value},
           {"reason", rows.error().message}});
      leadership_.voided.erase(sealed.position);
      return false;
    }
    some.emplace_back(sealed.position, std::move(*batch), std::move(*rows), leadership_.former);
    return true;
  }

  Result<std::optional<SealedBatch>> seal_anew(const VoidBatch& voided) {
    std::vector<OutboxRow> rows;
    for (const UnsealedRow& row : voided.rows) rows.push_back(row.view());
    TotalsCache& totals = leadership_.totals;
    if (const auto unknown = totals.unknown(rows); !unknown.empty()) {
      TRIBUTARY_ASSIGN(const auto stored, succession_.store.load_totals(unknown));
      totals.learn(unknown, stored);
    }
    // Its writers had seen what was there before their own actor ended, and no later one's.
    SealRules rules = rules_;
    const auto own = std::ranges::find(rules.former, voided.batch.actor, &FormerActor::actor);
    if (own != rules.former.end()) rules.former.erase(own + 1, rules.former.end());
    for (const VersionVector& each : voided.batch.contexts) rules.known.join(each);  // judged once
    const SealResult sealing = seal(leadership_.head, rows, rules, totals);
    const bool whole = sealing.parked.empty() && sealing.left.empty();
    auto sealed = whole ? stand_in(voided.batch, sealing, leadership_.former) : std::nullopt;
    if (sealed) return replace(voided, std::move(*sealed), sealing.head.hlc);
    tributary::unseal(sealing, rows, totals);
    if (!sealing.parked.empty()) return park(voided, sealing.parked.front().reason);
    return park(voided, sealing.left.empty() ? std::string(kTooLarge) : sealing.left_because);
  }

  Result<std::optional<SealedBatch>> replace(const VoidBatch& voided, SealedBatch sealed, Hlc hlc) {
    TRIBUTARY_TRY(succession_.store.reseal(
        {.position = voided.position, .batches = {&sealed, 1}, .hlc = hlc}));
    leadership_.head.seq = sealed.last_seq;
    leadership_.head.history = history_of(sealed.bytes);
    leadership_.head.hlc = hlc;
    say(voided, "it is sealed anew");
    return sealed;
  }

  Result<std::optional<SealedBatch>> park(const VoidBatch& voided, std::string_view reason) {
    return take_away(voided, reason, "it is parked: see `tributary parked list --origin`");
  }

  Result<std::optional<SealedBatch>> take_away(const VoidBatch& voided, std::string_view reason,
                                               std::string_view fate) {
    Resealing resealing{.position = voided.position, .batches = {}, .hlc = leadership_.head.hlc};
    if (!reason.empty()) {
      resealing.parked = voided.rows;
      resealing.reason = reason;
    }
    TRIBUTARY_TRY(succession_.store.reseal(resealing));
    say(voided, fate);
    return std::nullopt;
  }

  void say(const VoidBatch& voided, std::string_view fate) const {
    log::warn("a sealed batch can no longer be published, since another actor took over: " +
                  std::string(fate),
              {{"origin", succession_.origin.value},
               {"actor", voided.batch.actor.hex()},
               {"first_seq", voided.batch.first_seq.value},
               {"last_seq", voided.batch.last_seq.value}});
  }

  Leadership& leadership_;
  const Succession& succession_;
  const SealRules& rules_;
};

}  // namespace

Result<void> reseal_void(Leadership& leadership, const Succession& succession,
                         const SealRules& rules, std::size_t bytes,
                         const std::function<void(SealedBatch)>& publish) {
  Resealer resealer(leadership, succession, rules);
  TRIBUTARY_ASSIGN(const auto some, resealer.load(bytes));
  for (const VoidBatch& each : some) {
    TRIBUTARY_ASSIGN(auto sealed, resealer.settle(each));
    leadership.voided.erase(each.position);
    if (sealed) publish(std::move(*sealed));
  }
  if (some.empty()) leadership.voided.clear();
  return {};
}

}  // namespace tributary
