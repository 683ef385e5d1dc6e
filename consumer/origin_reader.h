/// Reads one origin's changelog into the read-ahead. Knows nothing of watermarks.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/outage.h"
#include "connectors/changelog/changelog.h"
#include "consumer/read_ahead.h"

namespace tributary {

/// One thread. Survives the loss of the broker, and a broker that refuses it: attaches again where
/// it was. Whatever happens to one origin's changelog, the other origins' readers go on.
class OriginReader {
 public:
  OriginReader(Changelog& changelog, OriginName origin, ReadAhead& read_ahead,
               const ConsumerSettings& settings, Clock& clock, Metrics& metrics);

  /// Reads at most one message, waiting up to `wait` for it; the value is how long the caller may
  /// sleep before the next call. No failure of the broker is an error: a refusal is tried again,
  /// too, slowly, with the gauge tributary_consumer_failed at 1.
  Result<Millis> step(Millis wait);

  /// The generation being read, for ReadAhead::wait_for_room().
  [[nodiscard]] std::uint64_t generation() const { return attached_.generation; }

 private:
  Result<void> attach(const Attachment& attachment);
  Millis lost(const Error& error);
  Arrival receive(ChangelogMessage message) const;

  Changelog& changelog_;
  OriginName origin_;
  ReadAhead& read_ahead_;
  Outage outage_;
  Gauge& connected_;
  EventCount& read_bytes_;
  std::unique_ptr<ChangelogReader> reader_;
  Attachment attached_;
  Offset tail_;  ///< of the log when the reader attached
  bool from_start_ = true;
};

}  // namespace tributary
