/// Tells when keys became visible to a reader of one Redis.
///
/// Redis itself says so: client-side caching in broadcast mode sends the names of all keys changed
/// under some prefixes, at the end of the event-loop turn that changed them. So nothing is polled,
/// and what is measured is not disturbed. Rejected: polling GETs (thousands of calls a second on
/// cores that the pipeline needs, and half an interval of bias) and polling the watermark (a
/// batch's seqs cannot be told from the writer's side).
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/redis_link.h"

namespace tributary::bench {

using Moment = std::chrono::steady_clock::time_point;

/// One thread; seen_count() from any.
class Observer {
 public:
  /// Watches keys "<prefix><number>" with number < `count`.
  Observer(const std::string& url, std::span<const std::string> prefixes, std::size_t count);

  /// Takes one notification, or returns after `milliseconds`.
  void step(int milliseconds);

  [[nodiscard]] std::size_t seen_count() const { return seen_; }
  /// When number i first became visible; the clock's epoch when it did not.
  [[nodiscard]] const std::vector<Moment>& visible() const { return visible_; }

 private:
  void note(std::string_view key, Moment now);

  RedisLink messages_;
  RedisLink tracker_;  ///< tracking lasts as long as this connection
  std::vector<Moment> visible_;
  std::atomic<std::size_t> seen_{0};
};

}  // namespace tributary::bench
