/// Publishes sealed batches in order, within a bounded window, until the changelog confirms them.
/// Not for: remembering what was confirmed (the outbox does).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include <tributary/base/result.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/outage.h"
#include "connectors/changelog/changelog.h"
#include "outbox/batch/rows.h"
#include "relay/settings.h"

namespace tributary {

/// One thread. Survives the loss of the broker, and a broker that refuses it: after a reconnect
/// everything unconfirmed is sent again, the same bytes in the same order.
class Publisher {
 public:
  Publisher(Changelog& changelog, OriginName origin, const RelaySettings& settings, Clock& clock,
            Metrics& metrics);

  /// There is room for another batch. Sealing waits while there is none.
  [[nodiscard]] bool room() const;
  /// Queues a batch, or a heartbeat (last_seq before first_seq).
  void add(SealedBatch batch);
  /// Sends what can be sent and collects confirms. Waits for the broker's answers only while it
  /// connects, within the connector's deadline. No failure of the broker is an error here, also no
  /// refusal: batches wait, the gauge tributary_relay_failed tells, and it is tried again.
  Result<void> step();

  /// Up to where each actor's batches were confirmed, for actors with news since the last call.
  [[nodiscard]] std::map<ActorId, Seq> take_confirmed();
  [[nodiscard]] bool empty() const { return pending_.empty(); }
  [[nodiscard]] std::size_t size() const { return pending_.size(); }
  /// When the last message was handed over, by the monotonic clock.
  [[nodiscard]] Micros last_published() const { return last_published_; }
  /// Forgets everything queued, for a relay that lost its lease, or its outbox.
  void reset();
  /// The same, when another relay leads or none: nothing here waits to be confirmed.
  void leave();

 private:
  Result<void> connect();
  Result<void> exchange();
  void lost(const Error& error);

  Changelog& changelog_;
  OriginName origin_;
  const RelaySettings& settings_;
  Clock& clock_;
  Outage outage_;
  EventCount& published_;
  EventCount& published_bytes_;
  Gauge& unconfirmed_;
  Gauge& connected_;

  std::unique_ptr<ChangelogWriter> writer_;
  std::deque<SealedBatch> pending_;
  std::size_t pending_bytes_ = 0;
  std::size_t sent_ = 0;         ///< of pending_, handed to writer_
  std::uint64_t first_tag_ = 1;  ///< of pending_.front()
  std::map<ActorId, Seq> confirmed_;
  Micros last_published_{0};
  Micros retry_at_{0};
};

}  // namespace tributary
