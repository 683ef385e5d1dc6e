/// Whether bytes still move over a connection: the only fair measure of a slow link. A deadline on
/// a whole message would make a large one impossible to send for ever.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace tributary::rabbitmq {

/// Asks the kernel what the peer has taken, or what has come from it. On a socket that cannot tell
/// it is a plain deadline. One thread.
class Progress {
 public:
  enum class Direction { kSending, kReceiving };

  Progress(int socket, Direction direction, Millis patience);

  /// Nothing worth the name has moved for `patience`.
  bool stalled();
  /// Nothing worth the name has moved since the last call of this function, or of restart().
  bool idle();
  /// As if something had moved just now.
  void restart();

 private:
  [[nodiscard]] std::uint64_t moved() const;

  SystemClock clock_;
  int socket_;
  Direction direction_;
  Micros patience_;
  std::uint64_t seen_ = 0;
  std::uint64_t seen_by_idle_ = 0;
  Micros until_{0};
};

}  // namespace tributary::rabbitmq
