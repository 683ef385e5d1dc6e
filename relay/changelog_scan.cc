#include "relay/changelog_scan.h"

#include <algorithm>

namespace tributary {
namespace {

constexpr Millis kTailWait{5000};
/// Batches: late bytes are of the last that were sent. Actors share them, each has the fewest.
constexpr std::size_t kRemembered = 10'000;
constexpr std::size_t kFewestRemembered = 10;

}  // namespace

Seq ChangelogEvidence::highest_of(ActorId actor) const {
  const auto known = highest.find(actor);
  return known == highest.end() ? Seq{} : known->second;
}

HistoryDigest ChangelogEvidence::history_of(ActorId actor) const {
  const auto known = histories.find(actor);
  return known == histories.end() ? HistoryDigest{} : known->second;
}

void EvidenceCollector::meet(ActorId actor) {
  auto& order = evidence_.order;
  if (std::ranges::find(order, actor) == order.end()) order.push_back(actor);
}

bool EvidenceCollector::follows(const Batch& batch, const std::vector<FormerActor>& former) const {
  const std::vector<ActorId>& order = evidence_.order;
  const std::optional<ActorId>& current = evidence_.current;
  if (!current || batch.actor == *current || others_.own(batch.actor)) return true;
  if (std::ranges::find(order, batch.actor) != order.end()) return true;
  return names(former, *current);
}

/// What the log begins with tells of what stood before. Later on changes may be missing that
/// another replica has read before they were lost, or that the database can give.
bool EvidenceCollector::fits(const Batch& batch) const {
  if (!applied_.contains(batch.actor) && !evidence_.highest.contains(batch.actor)) return true;
  const bool parted = evidence_.parted.contains(batch.actor);
  const Seq counts = counted(batch.actor);
  const Seq whole = parted ? counts : std::max(counts, known_.get(batch.actor));
  return batch.first_seq <= whole.next();
}

Seq EvidenceCollector::counted(ActorId actor) const {
  const auto applied = applied_.find(actor);
  const Seq highest = evidence_.highest_of(actor);
  return applied == applied_.end() ? highest : std::max(highest, applied->second);
}

bool EvidenceCollector::contradicts(const Batch& batch) const {
  const auto parts_from = [&](ActorId actor) {
    return batch.contradicts(actor, counted(actor), evidence_.history_of(actor));
  };
  const auto last = batch.last_published();
  return parts_from(batch.actor) || (last && parts_from(last->actor));
}

bool EvidenceCollector::skipped(const Batch& batch) const {
  const Seq last = counted(batch.actor);
  if (batch.last_seq > last || !batch.history.known()) return false;
  if (batch.last_seq == last) return evidence_.history_of(batch.actor).contradicts(batch.history);
  const auto recent = recent_.find(batch.actor);
  if (recent == recent_.end() || batch.last_seq < recent->second.begin()->first) return false;
  const auto at = recent->second.find(batch.last_seq);
  return at == recent->second.end() || at->second.contradicts(batch.history);
}

void EvidenceCollector::remember(const Batch& batch) {
  if (batch.last_seq <= counted(batch.actor) || batch.heartbeat()) return;
  auto& recent = recent_[batch.actor];
  recent[batch.last_seq] = batch.history;
  const std::size_t most = std::max(kFewestRemembered, kRemembered / recent_.size());
  while (recent.size() > most) recent.erase(recent.begin());
}

std::optional<Batch> EvidenceCollector::cut_off(const Batch& batch) {
  Seq& last = evidence_.cut_off[batch.actor];
  last = std::max(last, batch.last_seq);
  return std::nullopt;
}

std::optional<Batch> EvidenceCollector::take(const ChangelogMessage& message) {
  evidence_.end = message.offset;
  auto batch = decode_batch(message.bytes);
  if (!batch || batch->origin != origin_) return std::nullopt;
  if (others_.contains(batch->actor)) return std::nullopt;
  const std::vector<FormerActor> former = batch->former();
  for (const FormerActor& each : former) {
    if (others_.contains(each.actor)) return std::nullopt;
  }
  if (!follows(*batch, former)) return std::nullopt;
  if (contradicts(*batch)) {
    evidence_.parted.insert(batch->actor);
    return cut_off(*batch);
  }
  if (batch->first_seq == counted(batch->actor).next()) evidence_.parted.erase(batch->actor);
  for (auto each = former.rbegin(); each != former.rend(); ++each) {
    meet(each->actor);
    evidence_.retired.try_emplace(each->actor, each->final_seq);
  }
  meet(batch->actor);
  const auto retired = evidence_.retired.find(batch->actor);
  if (retired != evidence_.retired.end() && batch->last_seq > retired->second) return std::nullopt;
  if (!fits(*batch)) return cut_off(*batch);
  if (skipped(*batch)) return std::nullopt;
  remember(*batch);
  if (retired == evidence_.retired.end()) evidence_.current = batch->actor;
  Seq& highest = evidence_.highest[batch->actor];
  HistoryDigest& history = evidence_.histories[batch->actor];
  const Seq so_far = counted(batch->actor);
  if (batch->last_seq > so_far || (batch->last_seq == so_far && !history.known())) {
    history = batch->history;
  }
  highest = std::max(highest, batch->last_seq);
  const auto cut_off = evidence_.cut_off.find(batch->actor);
  if (cut_off != evidence_.cut_off.end() && cut_off->second <= highest) {
    evidence_.cut_off.erase(cut_off);  // the hole was closed, and all behind it sent again
  }
  // A heartbeat's time is that of its sending.
  if (!batch->heartbeat()) evidence_.hlc = std::max(evidence_.hlc, batch->hlc);
  return std::move(*batch);
}

Result<ChangelogEvidence> scan_changelog(Changelog& changelog, const OriginName& origin,
                                         const OtherActors& others, const VersionVector& known,
                                         std::optional<ReadTo> after,
                                         const std::function<Result<void>(const Batch&)>& visit) {
  EvidenceCollector collector(origin, others, known, after);
  TRIBUTARY_ASSIGN(const auto tail, changelog.last(origin));
  if (!tail) return collector.evidence();
  if (after && after->offset == tail->offset) {
    if (const auto batch = collector.take(*tail)) TRIBUTARY_TRY(visit(*batch));
    return collector.evidence();
  }
  TRIBUTARY_ASSIGN(
      const auto reader,
      changelog.open_reader(origin, after ? std::optional(after->offset) : std::nullopt));
  while (true) {
    TRIBUTARY_ASSIGN(const auto message, reader->next(kTailWait));
    if (!message) return fail(ErrorKind::kTransient, "the changelog's end is slow to arrive");
    if (const auto batch = collector.take(*message)) TRIBUTARY_TRY(visit(*batch));
    if (message->offset >= tail->offset) return collector.evidence();
  }
}

}  // namespace tributary
