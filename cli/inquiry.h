/// One server's answer, waited for no longer than one likes. Not for: deciding what silence means.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <utility>

#include "base/crew.h"

namespace tributary::cli {

/// Asks in a thread of its own, one question at a time, which may keep a connection for the next.
/// Owned by one thread.
template <typename Answer>
class Inquiry {
 public:
  using Clock = std::chrono::steady_clock;

  /// `ask` owns all that it touches.
  explicit Inquiry(std::function<Answer()> ask)
      : ask_(std::make_shared<std::function<Answer()>>(std::move(ask))) {}

  /// Asks, unless the server still hangs on the question before: then there will be no answer.
  void begin() {
    const bool answered = std::exchange(answered_, false);
    answer_ = {};
    const Millis end_of_thread{answered ? 1000 : 0};
    if (crew_ && !crew_->wait(end_of_thread, end_of_thread)) return;
    const auto task =
        std::make_shared<std::packaged_task<Answer()>>([ask = ask_] { return (*ask)(); });
    answer_ = task->get_future();
    crew_.emplace();
    crew_->start([task](const Crew::Member&) { (*task)(); });
  }

  [[nodiscard]] bool wait(Clock::time_point until) const {
    return answer_.valid() && answer_.wait_until(until) == std::future_status::ready;
  }
  /// Once per begin(); nullopt: there was no answer.
  [[nodiscard]] std::optional<Answer> take(Clock::time_point until) {
    if (!wait(until)) return std::nullopt;
    answered_ = true;
    return answer_.get();
  }

 private:
  std::shared_ptr<std::function<Answer()>> ask_;
  std::future<Answer> answer_;
  std::optional<Crew> crew_;
  bool answered_ = false;
};

}  // namespace tributary::cli
