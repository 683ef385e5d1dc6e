#include "consumer/parking.h"

#include "base/log.h"

namespace tributary {
namespace {

constexpr std::size_t kKeysRemembered = 4096;
constexpr std::size_t kMessagesAtOnce = 8;
constexpr std::size_t kSizesAtOnce = 1000;
constexpr std::size_t kFixedInId = 1 + 16 + 1 + 20 + 1;  ///< "/actor/seq/", behind the origin

/// Zero-padded, so that ids sort in the order of application.
std::string padded(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(20 - digits.size(), '0') + digits;
}

std::string message_prefix(const OriginName& origin) { return origin.value + "/message/"; }

/// One delta, kept as a batch of its own with the contexts it needs.
ParkedEntry park_delta(const DeltaRef& ref, std::string reason, Seq seq, Micros now) {
  const Batch& batch = *ref.batch;
  const Batch alone{.actor = batch.actor,
                    .origin = batch.origin,
                    .first_seq = batch.first_seq,
                    .last_seq = batch.last_seq,
                    .hlc = batch.hlc,
                    .contexts = batch.contexts,
                    .deltas = {*ref.delta}};
  return {.id = parked_id(batch.origin, batch.actor, seq, ref.delta->key),
          .origin = batch.origin,
          .actor = batch.actor,
          .first_seq = batch.first_seq,
          .last_seq = batch.last_seq,
          .key = ref.delta->key,
          .reason = std::move(reason),
          .bytes = encode(alone),
          .parked_at = now};
}

}  // namespace

bool stands_beside(const ParkedEntry& parked) {
  return parked.id == parked_id(parked.origin, parked.actor, Seq{}, parked.key);
}

bool stands_beside(std::string_view id) {
  if (parked_key(id).empty()) return false;
  return id.substr(id.find('/') + kFixedInId - 21, 20).find_first_not_of('0') ==
         std::string_view::npos;
}

void keep_small(ParkedEntry& beside, std::uint64_t bytes) {
  if (beside.bytes.size() <= bytes) return;
  auto batch = decode_piece(beside.bytes);
  if (!batch) return;
  batch->contexts.clear();
  batch->rows.clear();
  for (Delta& delta : batch->deltas) delta.body.clear();
  beside.bytes = encode(*batch);
}

std::string parked_type(const ParkedEntry& parked) {
  const auto batch = decode_piece(parked.bytes);
  return batch && !batch->deltas.empty() ? batch->deltas.front().type.name : std::string();
}

std::vector<ParkedEntry> put_beside(std::span<const ParkedEntry> parked, std::string_view type) {
  std::map<std::string, ParkedEntry> newest;
  for (const ParkedEntry& each : parked) {
    const std::string its = parked_type(each);
    if (stands_beside(each) || its.empty() || its == type) continue;
    ParkedEntry beside = each;
    beside.id = parked_id(each.origin, each.actor, Seq{}, each.key);
    keep_small(beside, ParkingBounds{}.beside_bytes);
    beside.reason = std::string(kWrongType) + "the key is a " + std::string(type) +
                    ", the change is for a " + its + ". The changelog has all of them";
    newest.insert_or_assign(beside.id, std::move(beside));
  }
  for (const ParkedEntry& each : parked) {
    const auto found = newest.find(each.id);
    if (found != newest.end() && found->second.last_seq < each.last_seq) newest.erase(found);
  }
  std::vector<ParkedEntry> all;
  for (auto& [id, each] : newest) all.push_back(std::move(each));
  return all;
}

ParkedEntry Parking::message(const Arrival& received, std::string reason, Micros now) {
  ParkedEntry parked{.id = message_prefix(received.origin) + padded(received.offset.value),
                     .origin = received.origin,
                     .actor = {},
                     .first_seq = {},
                     .last_seq = {},
                     .key = {},
                     .reason = std::move(reason),
                     .bytes = received.raw,
                     .parked_at = now};
  if (!received.batch) return parked;
  parked.actor = received.batch->actor;
  parked.first_seq = received.batch->first_seq;
  parked.last_seq = received.batch->last_seq;
  parked.bytes = encode(*received.batch);
  return parked;
}

Result<void> Parking::set_aside(ReplicaStore& store, const CommitGroup& group, Micros now,
                                ParkingPlan& plan) {
  for (const AsideKey& key : group.aside()) TRIBUTARY_TRY(park_key(store, key, now, plan));
  // Of these the newest of each actor and key is kept: enough to know that the key has to be
  // rebuilt should it become possible to obey them, and bounded.
  std::map<std::string, ParkedEntry> beside;
  for (const AsideDelta& each : group.beside()) {
    ParkedEntry parked = park_delta(each.ref, each.reason, Seq{}, now);
    beside.insert_or_assign(parked.id, std::move(parked));
  }
  for (auto& [id, parked] : beside) {
    TRIBUTARY_ASSIGN(const std::uint64_t bytes, all_bytes(store, plan));
    const bool room = bytes + parked.bytes.size() <= bounds_.bytes;
    keep_small(parked, room ? bounds_.beside_bytes : 0);
    plan.add(std::move(parked));
  }
  return {};
}

Result<void> Parking::park_key(ReplicaStore& store, const AsideKey& key, Micros now,
                               ParkingPlan& plan) {
  KeyBlock next = *key.block;
  if (next.mark.empty()) {
    next.reason = key.reason;
    log::warn("a key is blocked; changes to it are set aside from here on",
              {{"key", key.key}, {"reason", key.reason}});
  }
  if (key.reason.starts_with(kRetyped)) next.reason = key.reason;
  next.incomplete = next.incomplete || key.incomplete;
  for (const AsideDelta& each : key.deltas) {
    const Batch& batch = *each.ref.batch;
    next.before.try_emplace(batch.actor, Seq{batch.first_seq.value - 1});
    if (next.incomplete) continue;
    ParkedEntry parked = park_delta(each.ref, each.reason, each.ref.delta->last_seq, now);
    TRIBUTARY_ASSIGN(const bool room, fits(store, key.key, next, plan, parked.bytes.size()));
    if (!room) {
      next.incomplete = true;
      log::warn("too many changes to the key to set aside; the rest stays in the changelogs",
                {{"key", key.key}, {"kept", next.bodies}});
      continue;
    }
    ++next.bodies;
    plan.add(std::move(parked));
  }
  plan.blocks.push_back({key.key, key.block->mark, std::move(next)});
  return {};
}

Result<bool> Parking::fits(ReplicaStore& store, std::string_view key, const KeyBlock& block,
                           const ParkingPlan& plan, std::size_t bytes) {
  if (block.bodies >= bounds_.key_bodies) return false;
  if (bodies_ + plan.parked.size() >= bounds_.bodies) return false;
  TRIBUTARY_ASSIGN(const std::uint64_t all, all_bytes(store, plan));
  if (all + bytes > bounds_.bytes) return false;
  auto known = bytes_.find(key);
  if (known == bytes_.end() || known->second.bodies != block.bodies) {
    if (block.bodies > 0 && bytes <= bounds_.key_bytes / bounds_.key_bodies) return true;
    if (bytes_.size() >= kKeysRemembered) bytes_.clear();
    KeyBytes now{block.bodies, 0};
    if (block.bodies > 0) {
      TRIBUTARY_ASSIGN(const auto parked, store.parked_for(key, bounds_.key_bodies));
      for (const ParkedEntry& each : parked) now.bytes += each.bytes.size();
    }
    known = bytes_.insert_or_assign(std::string(key), now).first;
  }
  if (known->second.bytes + bytes > bounds_.key_bytes) return false;
  known->second.bodies += 1;
  known->second.bytes += bytes;
  return true;
}

Result<Parking::Room> Parking::room_for(ReplicaStore& store, const Arrival& received) {
  const auto [entry, fresh] = messages_.try_emplace(received.origin);
  Messages& messages = entry->second;
  if (fresh) {
    if (auto recalled = recall_messages(store, received.origin, messages); !recalled) {
      messages_.erase(entry);
      return fail(recalled.error());
    }
  }
  if (messages.bytes.contains(received.offset.value)) return Room::kKept;
  const bool room = messages.bytes.size() < bounds_.origin_messages &&
                    messages.all_bytes + received.bytes <= bounds_.origin_message_bytes;
  if (!room) return Room::kFull;
  messages.bytes[received.offset.value] = received.bytes;
  messages.all_bytes += received.bytes;
  return Room::kFree;
}

/// Counts the origin's parked messages, no further than matters.
Result<void> Parking::recall_messages(ReplicaStore& store, const OriginName& origin,
                                      Messages& messages) {
  const std::string prefix = message_prefix(origin);
  std::string after = prefix;
  while (messages.bytes.size() < bounds_.origin_messages &&
         messages.all_bytes < bounds_.origin_message_bytes) {
    TRIBUTARY_ASSIGN(const auto page, store.parked(after, kMessagesAtOnce));
    for (const ParkedEntry& each : page) {
      if (!each.id.starts_with(prefix)) return {};
      messages.bytes[std::strtoull(each.id.c_str() + prefix.size(), nullptr, 10)] =
          each.bytes.size();
      messages.all_bytes += each.bytes.size();
      after = each.id;
    }
    if (page.size() < kMessagesAtOnce) return {};
  }
  return {};
}

Result<std::uint64_t> Parking::all_bytes(ReplicaStore& store, const ParkingPlan& plan) {
  if (!bytes_now_) {
    std::uint64_t bytes = 0;
    std::string after;
    for (bool more = true; more;) {
      TRIBUTARY_ASSIGN(const auto page, store.parked_sizes(after, kSizesAtOnce));
      for (const auto& each : page) {
        if (!parked_key(each.id).empty()) bytes += each.bytes;
      }
      more = page.size() == kSizesAtOnce;
      if (more) after = page.back().id;
    }
    bytes_now_ = bytes;
  }
  return *bytes_now_ + plan.bytes;
}

void Parking::committed(const ParkingPlan& plan) {
  bodies_ += plan.parked.size();
  changed_ = changed_ || !plan.parked.empty();
  if (bytes_now_) *bytes_now_ += plan.bytes;
}

Result<std::uint64_t> Parking::count(ReplicaStore& store) {
  TRIBUTARY_ASSIGN(const std::uint64_t now, store.parked_count());
  if (now < bodies_) bytes_now_.reset();  // some were retried, or discarded
  bodies_ = now;
  return bodies_;
}

void Parking::reset() {
  bodies_ = 0;
  changed_ = true;
  bytes_now_.reset();
  messages_.clear();
  bytes_.clear();
}

}  // namespace tributary
