#include <optional>
#include <string>

#include <tributary/base/log.h>
#include <tributary/outbox/batch.h>
#include <tributary/relay/leadership.h>

namespace tributary {
namespace {

constexpr std::size_t kBatchesAtOnce = 64;
constexpr Millis kTailWait{5000};

/// What the changelog holds of the record's actor beyond the database's head.
struct Beyond {
  Seq last_seq;                    ///< the head, when there is nothing
  std::vector<ConsumedRows> rows;  ///< that those batches consumed
};

Result<Beyond> read_beyond(const OriginRecord& record, Changelog& changelog,
                           const OriginName& origin, Offset tail) {
  TRIBUTARY_ASSIGN(const auto reader, changelog.open_reader(origin, std::nullopt));
  Beyond beyond{record.head_seq, {}};
  while (true) {
    TRIBUTARY_ASSIGN(const auto message, reader->next(kTailWait));
    if (!message) return fail(ErrorKind::kTransient, "the changelog's end is slow to arrive");
    const auto batch = decode_batch(message->bytes);
    if (batch && batch->actor == *record.actor && batch->last_seq > beyond.last_seq) {
      beyond.last_seq = batch->last_seq;
      beyond.rows.insert(beyond.rows.end(), batch->rows.begin(), batch->rows.end());
    }
    if (message->offset >= tail) return beyond;
  }
}

/// True when the changelog holds more of the actor than the database knows: the database was
/// restored from a backup. The rows it holds once more, though they were published, are dropped
/// here.
Result<bool> restored(const OriginRecord& record, OutboxStore& store, Changelog& changelog,
                      const OriginName& origin) {
  TRIBUTARY_TRY(changelog.declare(origin));
  TRIBUTARY_ASSIGN(const auto tail, changelog.last(origin));
  if (!tail) return false;
  const auto batch = decode_batch(tail->bytes);
  if (batch && batch->actor == *record.actor && batch->last_seq <= record.head_seq) return false;
  // The tail is ahead, or another actor's: one minted just now, or after the backup was taken.
  TRIBUTARY_ASSIGN(const Beyond beyond, read_beyond(record, changelog, origin, tail->offset));
  if (beyond.last_seq == record.head_seq) return false;
  TRIBUTARY_TRY(store.discard(beyond.rows));
  return true;
}

/// Why the actor in the database must not be used any more; nullopt when it may.
Result<std::optional<std::string>> reason_to_mint(const OriginRecord& record, OutboxStore& store,
                                                  Changelog& changelog, const OriginName& origin) {
  if (!record.actor) return "the outbox is new";
  TRIBUTARY_ASSIGN(const bool is_restored, restored(record, store, changelog, origin));
  if (is_restored) return "the changelog is ahead of the database (restored from a backup)";
  if (record.identity != record.current_identity) {
    return "the database's identity changed (a copy, or a promoted standby)";
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
  TRIBUTARY_ASSIGN(const auto reason, reason_to_mint(record, store, changelog, origin));
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
