#include "relay/leadership.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "outbox/batch/batch.h"
#include "relay/backlog.h"
#include "relay/changelog_scan.h"
#include "relay/succession.h"

namespace tributary {
namespace {

constexpr SealLimit kPage{64, std::size_t{16} << 20};
constexpr std::size_t kRowsAtOnce = 10'000;

constexpr int kLooksAtNothing = 5;
/// In messages: much more than a relay has unconfirmed at a time, heartbeats and repeats included.
constexpr std::uint64_t kBacklogReach = 1000;

VersionVector known_of(const OriginRecord& record, const ReplicaAnswers& asked) {
  VersionVector known = finals_of(record.former);
  if (record.actor) known.raise(*record.actor, record.head_seq);
  for (const ReplicaProgress& replica : asked.replicas) known.join(replica.watermark);
  return known;
}

/// The last seq of each actor that the log or a replica tells of.
VersionVector published(const ChangelogEvidence& log, const ReplicaAnswers& asked) {
  VersionVector published;
  for (const auto* told : {&log.highest, &log.cut_off, &log.retired}) {
    for (const auto& [actor, seq] : *told) published.raise(actor, seq);
  }
  for (const ReplicaProgress& replica : asked.replicas) published.join(replica.watermark);
  return published;
}

/// By what replicas say, without the changelog.
Result<void> compare(Backlog& backlog, OutboxStore& store, const OriginRecord& record,
                     const ReplicaAnswers& asked, const OriginName& origin) {
  bool own = asked.own;  // the first
  for (const ReplicaProgress& replica : asked.replicas) {
    const bool is_own = std::exchange(own, false);
    const auto known = replica.origins.find(origin);
    if (known == replica.origins.end()) continue;
    const OriginProgress& progress = known->second;
    const Seq seq = replica.watermark.get(progress.actor);
    if (progress.actor == record.actor && backlog.starts_behind(progress.actor, seq)) {
      TRIBUTARY_ASSIGN(const auto next, store.retained(seq, {1}));
      const bool follows = !next.empty() && next[0].first_seq == seq.next();
      const auto batch = follows ? decode_batch(next[0].bytes) : fail(ErrorKind::kPoison, "");
      if (batch) backlog.learn(progress.actor, seq, batch->before);
    }
    backlog.compare(progress.actor, seq, progress.history, is_own);
  }
  return {};
}

/// Also where the log goes on from what regions do not go by, though some of that was confirmed.
std::map<ActorId, Seq> find_forks(const OriginRecord& record, const Backlog& backlog,
                                  const ChangelogEvidence& log, const ReplicaAnswers& asked) {
  std::map<ActorId, Seq> forks = backlog.forks(published(log, asked));
  if (!record.actor || !log.parted.contains(*record.actor)) return forks;
  const Seq counted = log.highest_of(*record.actor);
  if (counted > Seq{} && counted < record.confirmed_seq) {
    forks.try_emplace(*record.actor, counted.next());
  }
  return forks;
}

void tell_fork(const OriginRecord& record, const std::map<ActorId, Seq>& forks,
               const OriginName& origin) {
  if (!record.actor || !forks.contains(*record.actor)) return;
  log::error(
      "seqs of this origin were given twice, since its database was put back to an earlier state "
      "unnoticed: what was sealed behind them and is confirmed is applied nowhere; what is not "
      "confirmed is sealed anew or set aside (docs/operations.md, \"Regions hold different "
      "changes\")",
      {{"origin", origin.value},
       {"actor", record.actor->hex()},
       {"first_seq", forks.at(*record.actor).value},
       {"last_seq", record.head_seq.value}});
}

/// A log that was made just now is empty. One that seems so is looked at again when the database
/// knows of something in it: what an actor published must not be left out of the final seq that its
/// successor names. So is, from its beginning, one that has a hole behind what the region's replica
/// has read: it was trimmed since, or is another log, and what it begins with may be what other
/// regions go by. And so is one in which the backlog's seqs were published and not met: that may
/// have been long ago, with other content.
Result<ChangelogEvidence> look_at_changelog(const Succession& succession,
                                            const OriginRecord& record, const OtherActors& others,
                                            const ReplicaAnswers& asked,
                                            std::optional<ReadTo> after, Backlog& backlog) {
  TRIBUTARY_TRY(compare(backlog, succession.store, record, asked, succession.origin));
  TRIBUTARY_ASSIGN(const Declared log, succession.changelog.declare(succession.origin));
  if (log == Declared::kMade) return ChangelogEvidence{};
  const VersionVector known = known_of(record, asked);
  const bool not_empty = last_known(record).has_value();
  const auto compare = [&](const Batch& batch) -> Result<void> {
    backlog.compare(batch);
    return {};
  };
  for (int look = 1;; ++look) {
    auto evidence =
        scan_changelog(succession.changelog, succession.origin, others, known, after, compare);
    if (!evidence) return evidence;
    const bool whole =
        after && (!evidence->cut_off.empty() || !backlog.reached(published(*evidence, asked)));
    const bool again = !evidence->end && not_empty && look < kLooksAtNothing;
    if (!whole && !again) return evidence;
    if (whole) after.reset();
  }
}

/// Drops rows that batches have consumed, in bounded steps.
class Discarder {
 public:
  explicit Discarder(OutboxStore& store) : store_(store) {}

  Result<void> take(const Batch& batch) {
    rows_.insert(rows_.end(), batch.rows.begin(), batch.rows.end());
    return rows_.size() < kRowsAtOnce ? Result<void>{} : flush();
  }
  Result<void> flush() {
    if (rows_.empty()) return {};
    TRIBUTARY_TRY(store_.discard(rows_));
    rows_.clear();
    return {};
  }

 private:
  OutboxStore& store_;
  std::vector<ConsumedRows> rows_;
};

/// Whether batches cover all that was published and the database does not know.
class Coverage {
 public:
  Coverage(const OriginRecord& record, std::span<const FormerActor> chain,
           const std::map<ActorId, Seq>& forks) {
    for (const FormerActor& each : chain) {
      Seq known = each.actor == record.actor ? record.head_seq : Seq{};
      for (const FormerActor& former : record.former) {
        if (former.actor == each.actor) known = former.final_seq;
      }
      // What was published of a fork is not what the database knows.
      const auto fork = forks.find(each.actor);
      if (fork != forks.end()) known = std::min(known, Seq{fork->second.value - 1});
      missing_[each.actor] = {known.next(), each.final_seq};
    }
  }
  void take(const Batch& batch) {
    const auto entry = missing_.find(batch.actor);
    if (entry == missing_.end() || batch.first_seq > entry->second.next) return;
    entry->second.next = std::max(entry->second.next, batch.last_seq.next());
  }
  [[nodiscard]] bool complete() const {
    return std::ranges::all_of(
        missing_, [](const auto& each) { return each.second.next > each.second.last; });
  }

 private:
  struct Stretch {
    Seq next;
    Seq last;
  };
  std::map<ActorId, Stretch> missing_;
};

/// Behind this the own region's replica has read the changelog, and its watermark tells. Before the
/// first seal of an actor all is looked through, as settle() does.
std::optional<ReadTo> read_by(const OriginRecord& record, const ReplicaAnswers& asked,
                              const OriginName& origin, const Backlog& backlog) {
  if (!asked.own || (record.actor && record.head_seq == Seq{})) return std::nullopt;
  const auto& origins = asked.replicas.front().origins;
  const auto known = origins.find(origin);
  if (known == origins.end()) return std::nullopt;
  // At a gap it has read further than it holds.
  const OriginProgress& progress = known->second;
  const VersionVector& watermark = asked.replicas.front().watermark;
  if (watermark.get(progress.actor) < progress.head_seq) return std::nullopt;
  ReadTo read{progress.offset, progress.actor};
  read.history = progress.history;
  for (const auto& [actor, seq] : watermark) read.applied[actor] = seq;
  for (const auto& [actor, known_here] : asked.replicas.front().actors) {
    const bool ours = known_here.origin == origin && known_here.final_seq.has_value();
    if (ours) read.retired[actor] = *known_here.final_seq;
  }
  // What it has applied may be of the backlog, or of another that took its seqs.
  if (backlog.empty()) return read;
  if (read.offset.value <= kBacklogReach) return std::nullopt;
  read.offset.value -= kBacklogReach;
  return read;
}

OtherActors others_of(const OriginRecord& own, const ReplicaAnswers& asked,
                      const Succession& succession) {
  const OriginName& origin = succession.origin;
  OtherActors others(origin, succession.origins);
  if (own.actor) others.insert_own(*own.actor);
  for (const FormerActor& each : own.former) others.insert_own(each.actor);
  for (const ReplicaProgress& replica : asked.replicas) {
    for (const auto& [actor, record] : replica.actors) {
      if (record.origin != origin) others.insert(actor);
      else others.insert_held(actor);
    }
  }
  return others;
}

/// The rows in a restored database, waiting or parked: those that were published go, and when that
/// cannot be told, all of them are in doubt.
Result<void> clear_restored(const OriginRecord& record, const Verdict& verdict,
                            const std::map<ActorId, Seq>& forks, const Succession& succession,
                            const OtherActors& others) {
  TRIBUTARY_ASSIGN(const OutboxStatus status, succession.store.status());
  if (status.depth == 0 && status.parked == 0) return {};
  Discarder discarder(succession.store);
  Coverage coverage(record, verdict.chain, forks);
  const VersionVector known = finals_of(verdict.chain);
  TRIBUTARY_ASSIGN(const auto whole, scan_changelog(succession.changelog, succession.origin, others,
                                                    known, std::nullopt, [&](const Batch& batch) {
                                                      coverage.take(batch);
                                                      return discarder.take(batch);
                                                    }));
  TRIBUTARY_TRY(discarder.flush());
  // The verdict was given by the log's end alone.
  if (coverage.complete() && (!verdict.log_lost || holds_known(record, whole))) return {};
  TRIBUTARY_ASSIGN(const std::uint64_t parked,
                   succession.store.set_aside(
                       "in doubt after a restore: the changelog does not reach back to the backup, "
                       "so it cannot be told whether this was published before"));
  if (parked > 0) {
    log::error(
        "rows are in doubt after a restore and set aside: decide with `tributary parked list "
        "--origin`, then `parked retry` (publish) or `parked discard`",
        {{"origin", succession.origin.value}, {"rows", parked}});
  }
  return {};
}

Result<void> rebuild_totals(OutboxStore& store, Leadership& leadership) {
  Seq after = leadership.totals_seq;
  while (true) {
    TRIBUTARY_ASSIGN(const auto batches, store.retained(after, kPage));
    if (batches.empty()) return {};
    for (const SealedBatch& sealed : batches) {
      TRIBUTARY_ASSIGN(const Batch batch, decode_batch(sealed.bytes));
      relearn(batch, leadership.totals);
      after = sealed.first_seq;
    }
  }
}

/// Those of the chain that the database does not know, or knows with another final seq: a smaller
/// one counts when a replica was asked, since a log may have lost what tells of more.
std::vector<FormerActor> news(const OriginRecord& record, std::span<const FormerActor> chain,
                              bool asked) {
  std::vector<FormerActor> news;
  for (const FormerActor& each : chain) {
    const auto known = std::ranges::find(record.former, each.actor, &FormerActor::actor);
    const bool fresh = known == record.former.end() || each.final_seq > known->final_seq ||
                       (asked && each.final_seq < known->final_seq);
    if (fresh) news.push_back(each);
  }
  return news;
}

/// One that no name in the topology claims but the origin's own, and that nobody had.
ActorId draw_actor(const Succession& succession, const OtherActors& others) {
  constexpr int kDraws = 100;  // of which a second is hardly ever needed
  ActorId actor;
  for (int i = 0; i < kDraws; ++i) {
    actor = ActorId::make(succession.origin, succession.random());
    if (!others.contains(actor) && !others.own(actor) && !others.fits_another(actor)) break;
  }
  return actor;
}

Result<void> mint(const OriginRecord& record, const Verdict& verdict, const Succession& succession,
                  bool asked, Leadership& leadership) {
  const ActorId actor = draw_actor(succession, leadership.others);
  TRIBUTARY_TRY(succession.store.mint(
      {actor, verdict.hlc, news(record, verdict.chain, asked), verdict.former_history}));
  leadership.head = {actor, succession.origin, Seq{}, verdict.hlc, {}, verdict.former_history};
  leadership.totals_seq = Seq{};
  leadership.former = verdict.chain;
  log::info("minted a new actor", {{"origin", succession.origin.value},
                                   {"actor", actor.hex()},
                                   {"reason", *verdict.mint_because}});
  return {};
}

}  // namespace

VersionVector finals_of(std::span<const FormerActor> chain) {
  VersionVector finals;
  for (const FormerActor& each : chain) finals.raise(each.actor, each.final_seq);
  return finals;
}

Result<Leadership> take_leadership(const Succession& succession) {
  TRIBUTARY_ASSIGN(const OriginRecord record, succession.store.lead());
  const ReplicaAnswers asked = succession.ask_replicas();
  Leadership leadership;
  leadership.others = others_of(record, asked, succession);
  TRIBUTARY_ASSIGN(Backlog backlog, Backlog::read(succession.store, record));
  TRIBUTARY_ASSIGN(const ChangelogEvidence evidence,
                   look_at_changelog(succession, record, leadership.others, asked,
                                     read_by(record, asked, succession.origin, backlog), backlog));
  const auto forks = find_forks(record, backlog, evidence, asked);
  const Verdict verdict =
      judge({record, evidence, asked.replicas, asked.own, asked.all, succession.handed, forks},
            succession.origin);
  tell_fork(record, forks, succession.origin);
  TRIBUTARY_ASSIGN(leadership.schema, succession.store.schema());
  leadership.head = {record.actor.value_or(ActorId{}),
                     succession.origin,
                     record.head_seq,
                     std::max(record.hlc, std::min(verdict.hlc, kMaxHlc)),
                     record.history,
                     record.former_history};
  leadership.totals_seq = record.totals_seq;
  leadership.seen = std::min(record.context_hlc, kMaxHlc);
  leadership.told = record.told;
  leadership.former = record.former;
  if (verdict.mint_because) {
    if (verdict.restored || verdict.log_lost) {
      TRIBUTARY_TRY(clear_restored(record, verdict, forks, succession, leadership.others));
    }
    TRIBUTARY_TRY(mint(record, verdict, succession, !asked.replicas.empty(), leadership));
  }
  // A minting that was begun before is settled by the whole log, also when it was followed by
  // another one: what the former relay got in may stand on either side of the record, and before
  // what was looked through now.
  const bool begun = record.actor && record.head_seq == Seq{};
  if ((verdict.mint_because || !backlog.empty()) && !begun && evidence.end) {
    leadership.looked_through =
        ReadTo{*evidence.end, evidence.current, evidence.highest, evidence.retired};
    if (evidence.current)
      leadership.looked_through->history = evidence.history_of(*evidence.current);
  }
  const bool first = leadership.head.seq == Seq{} && (!leadership.former.empty() || !evidence.end);
  leadership.unsettled = first || !backlog.empty();
  leadership.voided = backlog.voided(verdict.chain, forks);
  TRIBUTARY_TRY(rebuild_totals(succession.store, leadership));
  return leadership;
}

Result<void> settle(Leadership& leadership, const Succession& succession) {
  Discarder discarder(succession.store);
  const VersionVector known = finals_of(leadership.former);
  TRIBUTARY_ASSIGN(const ChangelogEvidence evidence,
                   scan_changelog(succession.changelog, succession.origin, leadership.others, known,
                                  leadership.looked_through, [&](const Batch& batch) {
                                    if (batch.actor == leadership.head.actor) return Result<void>{};
                                    return discarder.take(batch);
                                  }));
  TRIBUTARY_TRY(discarder.flush());
  const auto own = evidence.highest.find(leadership.head.actor);
  if (own == evidence.highest.end()) {
    return fail(ErrorKind::kTransient, "the changelog does not show the record of the minting");
  }
  const auto behind = evidence.cut_off.find(leadership.head.actor);
  const Seq cut_off = behind == evidence.cut_off.end() ? Seq{} : behind->second;
  if (std::max(own->second, cut_off) > leadership.head.seq) {
    return fail(ErrorKind::kTransient, "the changelog holds changes beyond the database's head");
  }
  const OriginHead& head = leadership.head;
  const bool parted = evidence.parted.contains(head.actor) && own->second < head.seq;
  const bool other =
      own->second == head.seq && evidence.history_of(head.actor).contradicts(head.history);
  if (parted || other) {
    return fail(ErrorKind::kTransient,
                "the changelog holds other changes than the database, with the same seqs");
  }
  for (const ActorId actor : evidence.order) {
    if (actor == leadership.head.actor || names(leadership.former, actor)) continue;
    return fail(ErrorKind::kTransient, "the changelog holds changes of actor " + actor.hex() +
                                           ", which was not to be seen before");
  }
  leadership.unsettled = false;
  return {};
}

}  // namespace tributary
