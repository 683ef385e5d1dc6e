/// Reads one origin's changelog into the inbox. Knows nothing of watermarks.
#pragma once

#include <cstdint>
#include <memory>

#include <tributary/base/backoff.h>
#include <tributary/base/clock.h>
#include <tributary/base/metrics.h>
#include <tributary/connectors/changelog.h>
#include <tributary/consumer/inbox.h>

namespace tributary {

/// One thread. Survives the loss of the broker: attaches again where it was.
class OriginReader {
 public:
  OriginReader(Changelog& changelog, OriginName origin, Inbox& inbox,
               const ConsumerSettings& settings, Clock& clock, Metrics& metrics);

  /// Reads at most one message, waiting up to `wait` for it; the value is how long the caller may
  /// sleep before the next call. Only kFatal and kInvalid come back as errors.
  Result<Millis> step(Millis wait);

  /// The generation being read, for Inbox::wait_for_room().
  [[nodiscard]] std::uint64_t generation() const { return attached_.generation; }

 private:
  Result<void> attach(const Attachment& attachment);
  Result<Millis> lost(const Error& error);
  Received receive(ChangelogMessage message) const;

  Changelog& changelog_;
  OriginName origin_;
  Inbox& inbox_;
  Backoff backoff_;
  Gauge& connected_;
  Counter& read_bytes_;
  std::unique_ptr<ChangelogReader> reader_;
  Attachment attached_;
  Offset tail_;  ///< of the log when the reader attached
  bool from_start_ = true;
  std::string outage_;  ///< the reason told last; empty: all is well
};

}  // namespace tributary
