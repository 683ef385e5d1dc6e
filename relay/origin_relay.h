/// The relay of one origin: leads, seals, publishes, confirms, keeps the writers' context fresh.
///
/// One thread calls step() over and over; between calls it may wait as long as step() says. All
/// progress is in the outbox and the changelog, so a crash at any point loses nothing: a sealed
/// batch is published again, the same bytes. Two relays racing do no harm: seals are fenced.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <tributary/base/backoff.h>
#include <tributary/base/clock.h>
#include <tributary/base/metrics.h>
#include <tributary/base/result.h>
#include <tributary/connectors/changelog.h>
#include <tributary/connectors/outbox_store.h>
#include <tributary/relay/leadership.h>
#include <tributary/relay/publisher.h>
#include <tributary/relay/settings.h>

namespace tributary {

/// What writers of a region may have seen.
struct WriterContext {
  VersionVector watermark;
  Hlc hlc;
  bool operator==(const WriterContext&) const = default;
};

/// What the relay of one origin works with. All are borrowed and outlive it.
struct RelayPorts {
  std::function<Result<std::unique_ptr<OutboxStore>>()> open_store;
  Changelog* changelog = nullptr;
  /// The newest known progress of the origin's own region; nullopt: nothing known yet.
  std::function<std::optional<WriterContext>()> writer_context;
  std::function<std::uint64_t()> random;  ///< 64 unpredictable bits, for minting actors
  Clock* clock = nullptr;
  Metrics* metrics = nullptr;
};

class OriginRelay {
 public:
  OriginRelay(OriginName origin, const Schema& schema, const RelaySettings& settings,
              RelayPorts ports);

  /// Does what can be done now; the value is how long the caller may wait before the next call.
  /// Only kFatal and kInvalid come back as errors: everything else is retried with back-off.
  Result<Millis> step();

  /// Nothing sealed is left unconfirmed. A stopping relay steps with sealing off until drained.
  [[nodiscard]] bool drained() const { return publisher_.empty(); }
  void stop_sealing() { sealing_ = false; }
  /// Gives the lease back, so that a standby need not wait.
  void release();
  [[nodiscard]] bool leading() const { return leadership_.has_value(); }

 private:
  Result<Millis> lead();
  Result<Millis> work();
  Result<bool> seal_some();
  Result<void> commit_sealing(Sealing sealing);
  Result<void> write_confirms();
  Result<void> refresh_context();
  void heartbeat_when_idle();
  Result<Millis> recover(const Error& error);

  OriginName origin_;
  const Schema& schema_;
  const RelaySettings& settings_;
  RelayPorts ports_;
  Publisher publisher_;
  Backoff backoff_;
  Counter& sealed_changes_;
  Counter& sealed_batches_;
  Counter& parked_changes_;
  Gauge& leading_;

  std::unique_ptr<OutboxStore> store_;
  std::optional<Leadership> leadership_;
  std::optional<WriterContext> written_context_;
  Millis poll_;
  Micros confirms_at_{0};
  Micros context_at_{0};
  bool sealing_ = true;
  bool standby_logged_ = false;
};

}  // namespace tributary
