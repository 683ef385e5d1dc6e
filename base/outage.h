/// What one loop says and does while a server fails it. Not for: deciding which failures matter to
/// other loops; each loop has its own Outage, so that one fault stays one fault.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include <tributary/base/result.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/metrics.h"

namespace tributary {

/// Each reason is logged once in an outage, and then its end. Failures that need a person (kFatal,
/// kInvalid: a refused login, a missing right) are retried, too, but slowly, because passwords are
/// rotated and rights are granted while we run; a gauge is 1 meanwhile. One thread.
class Outage {
 public:
  /// The longest wait after a failure that needs a person.
  static constexpr Millis kLongestWait{30'000};

  struct Sentences {
    std::string away;    ///< the server will come back by itself
    std::string refuse;  ///< a person must help
    std::string back;    ///< said at the end
  };
  struct Waits {
    Millis first;
    Millis longest;
    std::uint64_t seed;
  };

  /// `origin` may be empty. `failed` is 1 while a person is needed.
  Outage(Sentences sentences, std::string origin, Gauge& failed, const Waits& waits);

  /// How long to wait before the next attempt.
  [[nodiscard]] Millis met(const Error& error);
  /// Something was said that has not ended.
  [[nodiscard]] bool open() const { return !told_.empty(); }
  /// All is well. Waits start small again.
  void over();
  /// It goes well again, but perhaps not for long: nothing is said, and the gauge stays.
  void hold() { failed_.set(person_ ? 1 : 0); }
  /// No person is needed any more, as far as is known, but not all is well: nothing is said.
  void ease() { failed_.set(0); }

 private:
  void tell(const Error& error, bool needs_person);

  Sentences sentences_;
  std::string origin_;
  Gauge& failed_;
  Backoff quick_;
  Backoff slow_;
  std::set<std::string> told_;  ///< in this outage; bounded
  bool person_ = false;         ///< is needed for the last failure
};

/// What only a person can mend.
[[nodiscard]] constexpr bool needs_person(ErrorKind kind) {
  return kind == ErrorKind::kFatal || kind == ErrorKind::kInvalid;
}

}  // namespace tributary
