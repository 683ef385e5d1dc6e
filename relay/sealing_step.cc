// The part of the relay that seals: rows in, batches out, in one database transaction.
#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_set>

#include "base/log.h"
#include "relay/origin_relay.h"

namespace tributary {
namespace {

/// Nothing but waiting transactions was found: look again then.
constexpr Millis kWaitingPause{1000};
/// After a replica could not be asked; and asking in vain takes a tenth of the time at most.
constexpr Millis kAskAgain{1000};
constexpr int kAskShare = 10;
/// So often a token waits for the region's answer: all rows that share its transaction's number,
/// and those behind on their keys, wait along. Then it counts up to what is known.
constexpr int kMostUnproven = 2;

}  // namespace

Result<bool> OriginRelay::seal_some() {
  TRIBUTARY_ASSIGN(const auto rows, store_->begin_seal({settings_.batch_changes + left_rows_,
                                                        settings_.batch_bytes + left_bytes_}));
  if (rows.empty()) return false;
  TRIBUTARY_ASSIGN(SealResult sealing, seal_rows(rows));
  report(sealing);
  note_left(sealing, rows);
  unproven_ = std::move(sealing.unproven);
  unproven_seals_ = unproven_.empty() ? 0 : unproven_seals_ + 1;
  // What waits for others stays proven: two that wait for each other's proof would wait for ever.
  const std::set<std::int64_t> left(sealing.left.begin(), sealing.left.end());
  std::erase_if(proven_, [&](std::int64_t id) { return !left.contains(id); });
  if (sealing.batches.empty() && sealing.parked.empty()) {
    store_->abort_seal();
    const Micros now = ports_.clock->monotonic();
    if (unproven_.empty() || now < ask_at_) seal_at_ = now + kWaitingPause;
    return false;
  }
  TRIBUTARY_TRY(commit_sealing(std::move(sealing)));
  return true;
}

/// Rows that wait stand before all others at the next seal, too: it takes so much more.
void OriginRelay::note_left(const SealResult& sealing, std::span<const OutboxRow> rows) {
  left_rows_ = sealing.left.size();
  left_bytes_ = 0;
  if (left_rows_ == 0) return;
  const std::set<std::int64_t> left(sealing.left.begin(), sealing.left.end());
  std::unordered_set<std::string_view> contexts;  // which rows may share
  for (const OutboxRow& row : rows) {
    if (!left.contains(row.id)) continue;
    left_bytes_ += row.key.size() + row.field.size() + row.value.size();
    if (row.exact || contexts.insert(row.context).second) left_bytes_ += row.context.size();
  }
}

/// What does not fit the rules known here is judged by those that stand in the database now: a
/// keyspace may have been added under a running relay.
Result<SealResult> OriginRelay::seal_rows(std::span<const OutboxRow> rows) {
  TotalsCache& totals = leadership_->totals;
  const auto load = [&](std::span<const TotalsKey> keys) { return store_->load_totals(keys); };
  TRIBUTARY_ASSIGN(SealResult sealing, seal(leadership_->head, rows, rules(), totals, load));
  if (sealing.parked.empty() && sealing.left.empty()) return sealing;
  TRIBUTARY_ASSIGN(StoredSchema stored, store_->schema());
  if (stored == leadership_->schema) return sealing;
  log::info("the keyspaces in the database have changed; going by the new ones",
            {{"origin", origin_.value}});
  leadership_->schema = std::move(stored);
  unseal(sealing, rows, totals);
  return seal(leadership_->head, rows, rules(), totals, load);
}

void OriginRelay::learn(const ReplicaContext& context) {
  leadership_->seen = std::max(leadership_->seen, std::min(context.hlc, kMaxHlc));
  leadership_->told.join(context.watermark);
}

void OriginRelay::ask_region() {
  if (!ports_.ask_context || (unproven_.empty() && (asked_ || written_context_))) return;
  const Micros begun = ports_.clock->monotonic();
  if (begun < ask_at_) return;
  auto context = ports_.ask_context();
  if (!context) {
    const Micros now = ports_.clock->monotonic();
    ask_at_ = now + std::max<Micros>(kAskAgain, (now - begun) * kAskShare);
    unasked_ = std::move(context.error().message);
    return;
  }
  learn(*context);
  asked_ = true;
  unasked_.clear();
  proven_.merge(std::exchange(unproven_, {}));
}

SealRules OriginRelay::rules() const {
  SealRules rules;
  rules.schema = &leadership_->schema;
  // A clock may be ahead by max_skew at most; what the writers had seen is beyond doubt.
  rules.clock = std::min(kMaxClock, Hlc::from_micros(static_cast<std::uint64_t>(
                                        (ports_.clock->wall() + settings_.max_skew).count())));
  rules.former = leadership_->former;
  rules.batch_bytes = std::min(settings_.batch_bytes, rules.piece_bytes);
  rules.known = leadership_->told;
  rules.seen = leadership_->seen;
  if (ports_.ask_context && unproven_seals_ < kMostUnproven) rules.proven = proven_;
  rules.unasked = unasked_;
  return rules;
}

Result<void> OriginRelay::commit_sealing(SealResult sealing) {
  TotalsCache& totals = leadership_->totals;
  const bool save_all = totals.unsaved_count() >= settings_.unsaved_totals;
  const auto saved = save_all ? totals.unsaved() : totals.unsaved_near_overflow();
  SealCommit commit{.batches = sealing.batches,
                    .hlc = sealing.head.hlc,
                    .parked = sealing.parked,
                    .left = sealing.left,
                    .totals = saved,
                    .totals_seq = std::nullopt};
  if (save_all || totals.unsaved_count() == 0) commit.totals_seq = sealing.head.seq;
  TRIBUTARY_TRY(store_->commit_seal(commit));
  if (save_all) totals.saved(settings_.unsaved_totals);
  if (commit.totals_seq) leadership_->totals_seq = *commit.totals_seq;
  metrics_.sealed_changes.add(
      static_cast<double>(sealing.head.seq.value - leadership_->head.seq.value));
  metrics_.sealed_batches.add(static_cast<double>(sealing.batches.size()));
  leadership_->head = sealing.head;
  for (SealedBatch& batch : sealing.batches) publish(std::move(batch));
  return {};
}

void OriginRelay::report(const SealResult& sealing) {
  metrics_.parked_changes.add(static_cast<double>(sealing.parked.size()));
  metrics_.capped_contexts.add(static_cast<double>(sealing.capped));
  metrics_.sealed_pieces.add(static_cast<double>(sealing.pieces));
  metrics_.waiting_changes.set(static_cast<double>(sealing.left.size()));
  constexpr std::size_t kTold = 10;
  for (std::size_t i = 0; i < std::min(sealing.parked.size(), kTold); ++i) {
    log::warn("parked a row, with all of its transaction", {{"origin", origin_.value},
                                                            {"id", sealing.parked[i].id},
                                                            {"reason", sealing.parked[i].reason}});
  }
  if (sealing.parked.size() > kTold) {
    log::warn("parked more rows: see `tributary parked list --origin`",
              {{"origin", origin_.value}, {"rows", sealing.parked.size() - kTold}});
  }
  if (sealing.pieces > 0) {
    log::warn("a transaction is too large for one batch: readers may see it in pieces",
              {{"origin", origin_.value}, {"pieces", sealing.pieces + 1}});
  }
  if (sealing.capped > 0) {
    log::warn(
        "a context claims to have seen what the region has not applied: it removes only what the "
        "region has",
        {{"origin", origin_.value}, {"changes", sealing.capped}});
  }
  if (waiting_for_ != sealing.left_because) {
    if (sealing.left_because.empty())
      log::info("nothing waits any more", {{"origin", origin_.value}});
    else {
      log::warn("transactions wait in the outbox",
                {{"origin", origin_.value}, {"reason", sealing.left_because}});
    }
  }
  waiting_for_ = sealing.left_because;
}

}  // namespace tributary
