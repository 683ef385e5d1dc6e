#include <optional>
#include <string>

#include <tributary/base/log.h>
#include <tributary/outbox/batch.h>
#include <tributary/relay/leadership.h>

namespace tributary {
namespace {

constexpr std::size_t kBatchesAtOnce = 64;

/// Why the actor in the database must not be used any more; nullopt when it may.
Result<std::optional<std::string>> reason_to_mint(const OriginRecord& record, Changelog& changelog,
                                                  const OriginName& origin) {
  if (!record.actor) return "the outbox is new";
  if (record.identity != record.current_identity) {
    return "the database's identity changed (a copy, or a promoted standby)";
  }
  TRIBUTARY_TRY(changelog.declare(origin));
  TRIBUTARY_ASSIGN(const auto tail, changelog.last(origin));
  if (!tail) return std::nullopt;
  const auto batch = decode_batch(tail->bytes);
  if (!batch) {
    log::warn("the changelog's last message is no batch",
              {{"origin", origin.value}, {"reason", batch.error().message}});
    return std::nullopt;
  }
  if (batch->actor == *record.actor && batch->last_seq > record.head_seq) {
    return "the changelog is ahead of the database (restored from a backup)";
  }
  return std::nullopt;
}

Result<void> rebuild_totals(OutboxStore& store, Leadership& leadership) {
  Seq after = leadership.totals_seq;
  while (true) {
    TRIBUTARY_ASSIGN(const auto batches, store.retained(after, kBatchesAtOnce));
    if (batches.empty()) return {};
    for (const SealedBatch& sealed : batches) {
      TRIBUTARY_ASSIGN(const Batch batch, decode_batch(sealed.bytes));
      relearn(batch, leadership.totals);
      after = sealed.last_seq;
    }
  }
}

}  // namespace

Result<Leadership> take_leadership(OutboxStore& store, Changelog& changelog,
                                   const OriginName& origin,
                                   const std::function<std::uint64_t()>& random) {
  TRIBUTARY_ASSIGN(const OriginRecord record, store.lead());
  TRIBUTARY_ASSIGN(const auto reason, reason_to_mint(record, changelog, origin));
  Leadership leadership;
  leadership.head = {record.actor.value_or(ActorId{}), origin, record.head_seq, record.hlc};
  leadership.totals_seq = record.totals_seq;
  if (reason) {
    const ActorId actor{random()};
    TRIBUTARY_TRY(store.mint(actor));
    leadership.head = {actor, origin, Seq{}, record.hlc};
    leadership.totals_seq = Seq{};
    log::info("minted a new actor",
              {{"origin", origin.value}, {"actor", actor.hex()}, {"reason", *reason}});
  }
  TRIBUTARY_TRY(rebuild_totals(store, leadership));
  TRIBUTARY_ASSIGN(leadership.unconfirmed, store.unconfirmed());
  return leadership;
}

}  // namespace tributary
