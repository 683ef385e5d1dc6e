/// Threads that nobody has to wait for. A call into a server that hangs cannot be interrupted: its
/// thread is left behind, and ends when the call does. Not for: threads that borrow anything.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace tributary {

/// Owned by one thread. Rejected: to cut the sockets of those that hang, which helps neither while
/// a name is resolved nor while a connection is made.
class Crew {
 public:
  struct State;

  /// What a member knows of its crew. Thread-safe.
  class Member {
   public:
    Member(std::shared_ptr<State> state, std::size_t number)
        : state_(std::move(state)), number_(number) {}
    /// Nobody waits any longer: end as soon as you can, in good order.
    [[nodiscard]] bool left_behind() const;
    /// Something was achieved: whoever waits has reason to go on waiting.
    void gets_on() const;

   private:
    friend class Crew;
    void ended() const;

    std::shared_ptr<State> state_;
    std::size_t number_;
  };
  using Work = std::function<void(const Member&)>;

  Crew();
  Crew(Crew&&) = default;
  Crew& operator=(Crew&&) = delete;
  /// Leaves those behind that are still at work.
  ~Crew();

  /// `work` owns, or shares, all that it touches.
  void start(Work work);
  /// Until all have ended; false when that took `longest`, or none ended or got on for `quiet`.
  bool wait(Millis quiet, Millis longest) const;
  [[nodiscard]] bool ended() const { return wait(Millis{0}, Millis{0}); }

  /// Threads that were left behind and are still there. While there are any, the process must not
  /// destroy what is static: see end_process().
  [[nodiscard]] static std::size_t still_behind();

 private:
  std::shared_ptr<State> state_;
  std::vector<std::thread> threads_;
};

/// For the end of main: `code`, or, while threads are left behind, the end of the process at once.
int end_process(int code);

}  // namespace tributary
