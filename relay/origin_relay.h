/// The relay of one origin: leads, seals, publishes, confirms, keeps the writers' context fresh.
///
/// One thread calls step() over and over; between calls it may wait as long as step() says. All
/// progress is in the outbox and the changelog, so a crash at any point loses nothing: a sealed
/// batch is published again, the same bytes. Two relays racing do no harm: seals are fenced.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tributary/base/result.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/outage.h"
#include "connectors/changelog/changelog.h"
#include "connectors/outbox/outbox_store.h"
#include "connectors/replica/replica_store.h"
#include "relay/leadership.h"
#include "relay/publisher.h"
#include "relay/relay_metrics.h"
#include "relay/settings.h"

namespace tributary {

/// What the relay of one origin works with. All are borrowed and outlive it.
struct RelayPorts {
  std::function<Result<std::unique_ptr<OutboxStore>>()> open_store;
  Changelog* changelog = nullptr;
  /// The newest known context of the origin's own region; nullopt: nothing known yet.
  std::function<std::optional<ReplicaContext>()> writer_context;
  /// The same, as of this moment: a writer may have just read what the other does not know yet. It
  /// may take as long as the replica's deadline: it is asked outside of seals, and seldom in vain.
  std::function<Result<ReplicaContext>()> ask_context = {};
  AskReplicas ask_replicas = [] { return ReplicaAnswers{}; };
  std::function<std::uint64_t()> random;  ///< 64 unpredictable bits, for minting actors
  Clock* clock = nullptr;
  Metrics* metrics = nullptr;
};

class OriginRelay {
 public:
  OriginRelay(OriginName origin, const RelaySettings& settings, RelayPorts ports);

  /// Does what can be done now; the value is how long the caller may wait before the next call.
  /// Only kFatal and kInvalid come back as errors: everything else is retried with back-off.
  Result<Millis> step();

  /// Nothing sealed is left unconfirmed. A stopping relay steps with sealing off until drained.
  [[nodiscard]] bool drained() const { return publisher_.empty(); }
  /// Messages handed to the publisher that the changelog has not confirmed.
  [[nodiscard]] std::size_t unconfirmed() const { return publisher_.size(); }
  void stop_sealing() { sealing_ = false; }
  /// Gives the lease back, so that a standby need not wait.
  void release();
  [[nodiscard]] bool leading() const { return leadership_.has_value(); }

 private:
  Result<Millis> lead();
  Result<Millis> work();
  /// Queues what was sealed and not confirmed before, page by page, then the record of a minting,
  /// then what of the former can only be published under the new actor.
  Result<void> catch_up();
  Result<void> tell_minting();
  Result<void> reseal();
  [[nodiscard]] bool caught_up() const {
    return backlog_done_ && !leadership_->unsettled && leadership_->voided.empty();
  }
  /// Asks for the region's context as of now, when rows that wait need it, or nothing is known.
  void ask_region();
  Result<bool> seal_some();
  Result<SealResult> seal_rows(std::span<const OutboxRow> rows);
  [[nodiscard]] SealRules rules() const;
  void learn(const ReplicaContext& context);
  Result<void> commit_sealing(SealResult sealing);
  void report(const SealResult& sealing);
  void note_left(const SealResult& sealing, std::span<const OutboxRow> rows);
  Result<void> write_confirms();
  Result<void> refresh_context();
  Result<void> check_head(const VersionVector& watermark) const;
  Result<void> keep_house();
  /// How much waits in the outbox, now and then; also while nobody can lead.
  Result<void> measure();
  Result<void> save_totals();
  void heartbeat_when_idle();
  Result<void> tell_discarded();
  void publish(SealedBatch batch);
  void note_handed(ActorId actor, Seq seq);
  void add_heartbeat();
  [[nodiscard]] Succession succession();
  [[nodiscard]] bool led_well() const;
  Result<Millis> recover(const Error& error);

  OriginName origin_;
  const RelaySettings& settings_;
  RelayPorts ports_;
  Publisher publisher_;
  Outage outage_;  ///< of what passes by itself
  RelayMetrics metrics_;

  std::unique_ptr<OutboxStore> store_;
  std::optional<Leadership> leadership_;
  std::optional<ReplicaContext> written_context_;
  bool asked_ = false;               ///< the region answered, since it leads
  std::string unasked_;              ///< why it did not, last; empty: it did
  std::set<std::int64_t> unproven_;  ///< rows whose tokens claim more than was known
  int unproven_seals_ = 0;           ///< in a row, that left such rows where they were
  std::set<std::int64_t> proven_;    ///< those of them that were there when it was asked last
  std::int64_t backlog_at_ = 0;      ///< position of the last batch queued from the outbox
  bool backlog_done_ = false;
  bool minting_told_ = false;
  std::string waiting_for_;    ///< why transactions wait, as told last; empty: none does
  std::size_t left_rows_ = 0;  ///< that waited at the last seal
  std::size_t left_bytes_ = 0;
  std::map<ActorId, Seq> confirmed_;
  std::optional<FormerActor> handed_;  ///< to the publisher, last, whoever led since
  Millis poll_;
  Millis heartbeat_;
  Micros led_at_{0};  ///< when it began to lead, last
  Micros seal_at_{0};
  Micros ask_at_{0};
  Micros confirms_at_{0};
  Micros context_at_{0};
  Micros tell_again_at_{0};
  Micros house_at_{0};
  Micros confirmed_at_{0};
  Micros measured_at_{0};
  bool sealing_ = true;
  bool standby_logged_ = false;
};

}  // namespace tributary
