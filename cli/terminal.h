/// Progress lines on a terminal; nothing when stderr is not one.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace tributary::cli {

/// Rewrites one line of stderr a few times a second. One thread.
class ProgressLine {
 public:
  explicit ProgressLine(std::string unit);
  void update(std::uint64_t done);
  /// Ends the line.
  void finish(std::uint64_t done);

 private:
  void show(std::uint64_t done);
  std::string unit_;
  SystemClock clock_;
  Micros started_;
  Micros shown_{0};
  bool terminal_;
};

}  // namespace tributary::cli
