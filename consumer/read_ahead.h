/// What was read from the changelogs and not yet applied: a bounded queue per origin, between the
/// readers (one per origin) and the one applier of a replica.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>

#include "base/clock.h"
#include "connectors/changelog/changelog.h"
#include "consumer/settings.h"
#include "outbox/batch/batch.h"

namespace tributary {

/// One message of an origin's changelog.
struct Arrival {
  OriginName origin;
  Offset offset;
  std::size_t bytes = 0;
  Result<Batch> batch = Batch{};
  std::string raw;          ///< the message, when it does not decode
  bool from_start = false;  ///< the reader attached at the first message kept
  bool at_tail = false;     ///< nothing newer was in the log when the reader attached
};

/// Where a reader is to attach.
struct Attachment {
  std::uint64_t generation = 0;  ///< grows with every restart
  std::optional<Offset> after;   ///< absent: from the first message kept
};

/// Thread-safe.
class ReadAhead {
 public:
  ReadAhead(std::vector<OriginName> origins, const ConsumerSettings& settings);

  // --- reader's side ---
  /// Where to read; nullopt until the applier knows the replica's progress.
  [[nodiscard]] std::optional<Attachment> attachment(const OriginName& origin) const;
  [[nodiscard]] bool room(const OriginName& origin) const;
  /// Waits until there is room or an attachment newer than `generation`; false when stopped.
  bool wait_for_room(const OriginName& origin, std::uint64_t generation, std::stop_token stop);
  /// Dropped when a restart has made `generation` stale.
  void push(std::uint64_t generation, Arrival received);

  // --- applier's side ---
  /// Takes about `deltas` deltas of whole batches, turn by turn from every origin, in order.
  [[nodiscard]] std::vector<Arrival> take(std::size_t deltas);
  /// Waits until something can be taken, `wait` has passed or `stop` is asked for.
  void wait_for_batch(Millis wait, std::stop_token stop);
  /// Throws away what was read of the origin and lets its reader attach behind `after`.
  void restart(const OriginName& origin, std::optional<Offset> after);
  /// Throws away what was read of the origin; its reader waits for the next restart().
  void suspend(const OriginName& origin);
  /// The same of all origins.
  void suspend();

  [[nodiscard]] const std::vector<OriginName>& origins() const { return origins_; }

 private:
  struct Queue {
    std::deque<Arrival> messages;
    std::size_t bytes = 0;
    Attachment attachment;
    bool attached = false;
  };
  [[nodiscard]] bool has_room(const Queue& queue) const;
  static void suspend(Queue& queue);

  std::vector<OriginName> origins_;
  const ConsumerSettings& settings_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::map<OriginName, Queue> queues_;
};

}  // namespace tributary
