#include "tests/simulation/witness.h"

#include <algorithm>

namespace tributary::simulation {

void Witness::stored(const OriginName& origin, std::string_view bytes) {
  if (forged_.contains(std::string(bytes))) return;
  const auto batch = decode_batch(bytes);
  if (!batch || batch->origin != origin) {
    wrong_ = "a relay has published what is no batch of " + origin.value;
    return;
  }
  const auto [owner, fresh] = owners_.try_emplace(batch->actor, origin);
  if (owner->second != origin) wrong_ = "two origins are actor " + batch->actor.hex();
  if (fresh && loses_.contains(origin)) forget_unnamed(*batch);
  logs_[origin].emplace(bytes);
  if (!counts(*batch, bytes) || batch->heartbeat()) return;
  take(*batch, bytes);
}

void Witness::kept(const OriginName& origin, std::span<const ChangelogMessage> messages) {
  logs_[origin].clear();
  for (const ChangelogMessage& message : messages) logs_[origin].insert(message.bytes);
}

/// What an actor published that no replica had applied went with its log, and the database was put
/// back to before it: nobody can name it, and nothing is doubled when its transactions are
/// published again. To doubt every row that waits whenever a log is lost would stop services for
/// nothing.
void Witness::forget_unnamed(const Batch& batch) {
  const std::vector<FormerActor> former = batch.former();
  for (const auto& [actor, owner] : owners_) {
    if (owner != batch.origin || actor == batch.actor || names(former, actor)) continue;
    if (!applied_(actor)) history_.ended(actor, Seq{}, whole(actor));
  }
}

void Witness::end(const Batch& batch, std::string_view bytes, ActorId former, Seq last) {
  const auto [known, fresh] = final_.try_emplace(former, last);
  // What told of another one may be lost with its log.
  const bool lost = !fresh && last != known->second && loses_.contains(batch.origin);
  const bool less = lost && last < known->second;
  const bool more = lost && !less && !logs_[batch.origin].contains(told_final_[former]);
  if (!fresh && !less && !more) return;
  known->second = last;
  told_final_[former] = bytes;
  history_.ended(former, last, whole(former));
  if (!more) return;
  for (const std::string& each : beyond_[former]) {
    if (const auto late = decode_batch(each); late->last_seq <= last) take(*late, each);
  }
}

bool Witness::counts(const Batch& batch, std::string_view bytes) {
  const auto final_seq = final_.find(batch.actor);
  if (final_seq != final_.end() && batch.last_seq > final_seq->second) {
    if (!batch.heartbeat()) beyond_[batch.actor].emplace_back(bytes);
    return false;
  }
  std::set<ActorId>& named = named_[batch.origin];
  named = {batch.actor};
  for (const auto& [former, last] : batch.former()) {
    end(batch, bytes, former, last);
    named.insert(former);
  }
  return true;
}

Seq Witness::whole(ActorId actor) const {
  const auto known = whole_.find(actor);
  return known == whole_.end() ? Seq{} : known->second;
}

Seq Witness::final_of(ActorId actor) const {
  const auto known = final_.find(actor);
  return known == final_.end() ? Seq{~std::uint64_t{0}} : known->second;
}

bool Witness::named(const OriginName& origin, ActorId actor) const {
  const auto named = named_.find(origin);
  return named != named_.end() && named->second.contains(actor);
}

void Witness::take(const Batch& batch, std::string_view bytes) {
  Seq& whole = whole_[batch.actor];
  if (batch.first_seq <= whole.next()) whole = std::max(whole, batch.last_seq);
  const auto [known, fresh] =
      sealed_.try_emplace({batch.actor, batch.first_seq.value}, batch.last_seq, bytes);
  if (!fresh) {
    if (known->second.second == bytes) return;
    if (!loses_.contains(batch.origin) || logs_[batch.origin].contains(known->second.second)) {
      wrong_ = "seq " + std::to_string(batch.first_seq.value) + " of actor " + batch.actor.hex() +
               " stands for two things";
      return;
    }
    forgot_ = true;
    known->second = {batch.last_seq, std::string(bytes)};
  }
  all_.raise(batch.actor, batch.last_seq);
  batches_[batch.origin].emplace_back(bytes);
  for (const ConsumedRows& rows : batch.rows) {
    const auto told = discards_.find(rows.tag);
    if (told == discards_.end() || !batch.deltas.empty()) continue;
    for (const std::size_t number : told->second) {
      history_.discarded(number, {batch.actor, batch.last_seq});
    }
  }
  std::vector<std::pair<Seq, std::size_t>> transactions;
  for (const Delta& delta : batch.deltas) {
    if (const auto number = History::marked_by(delta.key)) {
      transactions.emplace_back(delta.last_seq, *number);
    }
  }
  std::sort(transactions.begin(), transactions.end());
  for (const auto& [seq, number] : transactions) history_.published(number, batch.actor, seq);
}

std::optional<std::string> Witness::wrong(const std::set<OriginName>& broken) const {
  if (wrong_) return wrong_;
  const std::pair<ActorId, std::uint64_t>* before = nullptr;
  Seq last;
  for (const auto& [key, batch] : sealed_) {
    const OriginName& owner = owners_.at(key.first);
    if (broken.contains(owner) || loses_.contains(owner)) continue;
    if (batch.first > final_of(key.first)) continue;
    const bool same = before != nullptr && before->first == key.first;
    if (key.second != (same ? last.value + 1 : 1)) {
      return "seqs of actor " + key.first.hex() + " have a gap or overlap at " +
             std::to_string(key.second);
    }
    before = &key;
    last = batch.first;
  }
  return std::nullopt;
}

}  // namespace tributary::simulation
