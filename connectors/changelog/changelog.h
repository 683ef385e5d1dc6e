/// Port: the replayable log of one origin's batches. Implemented by rabbitmq (a stream per origin)
/// and memory; tests/conformance/changelog decides whether an implementation is right.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/base/result.h>

#include "base/clock.h"

namespace tributary {

/// Position of a message in a changelog. Offsets grow; they need not be contiguous.
struct Offset {
  std::uint64_t value = 0;
  auto operator<=>(const Offset&) const = default;
};

struct ChangelogMessage {
  Offset offset;
  std::string bytes;
};

/// Publishes to one origin's changelog. Delivery: at least once, in order of publish() as long as
/// the connection lives. One thread at a time. After any error the writer is dead: open a new one.
class ChangelogWriter {
 public:
  virtual ~ChangelogWriter() = default;

  /// Hands `bytes` to the log without waiting for the confirm. `tag` names the message in
  /// confirmed(); tags grow. kTransient when the link is dead. Does not block unless blocked();
  /// then it waits as long as bytes move, and for the connector's deadline when they do not.
  virtual Result<void> publish(std::uint64_t tag, std::string_view bytes) = 0;

  /// Waits up to `wait` for news and tells up to which tag everything is confirmed (all smaller
  /// tags are confirmed, too). A returned or nacked message is an error: it counts as not sent. So
  /// is a message that the broker finds too large: kInvalid.
  virtual Result<std::uint64_t> confirmed(Millis wait) = 0;

  /// The broker asked us to pause (connection.blocked), or a message is still on its way over a
  /// slow link: do not publish, keep calling confirmed().
  [[nodiscard]] virtual bool blocked() const = 0;
};

/// Reads one origin's changelog, however long it is, in bounded memory. One thread at a time. After
/// any error the reader is dead.
class ChangelogReader {
 public:
  virtual ~ChangelogReader() = default;

  /// The next message, or nullopt after `wait`. Duplicates are possible.
  virtual Result<std::optional<ChangelogMessage>> next(Millis wait) = 0;
};

/// What declaring a log came to.
enum class Declared {
  kMade,
  kThere,                 ///< as asked for, or no one may compare
  kThereWithOtherLimits,  ///< used as it is; its limits are the broker's operator's to change
};

/// Opens readers and writers on one broker. May be called from any thread.
class Changelog {
 public:
  virtual ~Changelog() = default;

  /// Creates the origin's log if it is missing; safe to repeat. A log that is there is used as it
  /// is, whatever limits it was made with. kInvalid when something else holds its place.
  virtual Result<Declared> declare(const OriginName& origin) = 0;
  virtual Result<std::unique_ptr<ChangelogWriter>> open_writer(const OriginName& origin) = 0;
  /// Starts behind `after`; from the first message kept when `after` is absent or lies beyond the
  /// log's end (the log was deleted and made again: seqs sort out the rest).
  virtual Result<std::unique_ptr<ChangelogReader>> open_reader(const OriginName& origin,
                                                               std::optional<Offset> after) = 0;
  /// The last message of the log. nullopt when it is empty, or, seldom, seems so for a moment.
  virtual Result<std::optional<ChangelogMessage>> last(const OriginName& origin) = 0;
};

}  // namespace tributary
