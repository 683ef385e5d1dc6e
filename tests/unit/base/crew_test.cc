#include "base/crew.h"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>

#include <doctest/doctest.h>

using namespace tributary;

namespace {

constexpr Millis kLong{10'000};
constexpr Millis kShort{20};

/// A call into a server that hangs until it is let go.
struct Hanging {
  std::promise<void> answer;
  std::shared_future<void> answered = answer.get_future().share();
};

void wait_until_none_is_behind() {
  for (int i = 0; i < 10'000 && Crew::still_behind() > 0; ++i) {
    std::this_thread::sleep_for(Millis{1});
  }
  CHECK(Crew::still_behind() == 0);
}

}  // namespace

TEST_CASE("a crew whose work is done has ended") {
  std::atomic<int> done{0};
  Crew crew;
  for (int i = 0; i < 8; ++i) crew.start([&](const Crew::Member&) { ++done; });
  CHECK(crew.wait(kLong, kLong));
  CHECK(done == 8);
  CHECK(crew.ended());
}

TEST_CASE("a thread that hangs is left behind with all that it owns, and ends when it can") {
  Hanging server;
  const auto owned = std::make_shared<int>(1);
  std::promise<bool> told;
  {
    Crew crew;
    crew.start([owned, &told, answered = server.answered](const Crew::Member& member) {
      answered.wait();
      told.set_value(member.left_behind());
    });
    CHECK_FALSE(crew.wait(kShort, kLong));
    CHECK(Crew::still_behind() == 0);
  }
  CHECK(Crew::still_behind() == 1);
  CHECK(owned.use_count() == 2);
  server.answer.set_value();
  CHECK(told.get_future().get());
  wait_until_none_is_behind();
  CHECK(owned.use_count() == 1);
}

TEST_CASE("who waits for a crew goes on waiting as long as it gets on, and no longer") {
  Hanging server;
  Crew crew;
  crew.start([answered = server.answered](const Crew::Member& member) {
    for (int i = 0; i < 10; ++i) {
      std::this_thread::sleep_for(Millis{50});
      member.gets_on();
    }
    answered.wait();
  });
  const auto begun = std::chrono::steady_clock::now();
  CHECK_FALSE(crew.wait(Millis{1000}, kLong));
  CHECK(std::chrono::steady_clock::now() - begun >= Millis{1400});
  CHECK_FALSE(crew.wait(kLong, kShort));
  server.answer.set_value();
  CHECK(crew.wait(kLong, kLong));
}
