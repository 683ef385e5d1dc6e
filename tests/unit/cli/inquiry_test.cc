#include "cli/inquiry.h"

#include <chrono>
#include <future>
#include <mutex>
#include <queue>

#include <doctest/doctest.h>

using namespace tributary;
using namespace tributary::cli;

namespace {

using Steady = std::chrono::steady_clock;

Steady::time_point in(Millis time) { return Steady::now() + time; }

}  // namespace

TEST_CASE("a server that answers is asked again and again") {
  int asked = 0;
  Inquiry<int> inquiry([&] { return ++asked; });
  CHECK(inquiry.take(in(Millis{0})) == std::nullopt);  // nobody asked
  for (int i = 1; i <= 100; ++i) {
    inquiry.begin();
    CHECK(inquiry.take(in(Millis{10'000})) == i);
  }
}

TEST_CASE(
    "a server that hangs is not waited for, and what it says late answers no later question") {
  std::promise<int> first;
  std::promise<int> second;
  std::queue<std::shared_future<int>> answers({first.get_future(), second.get_future()});
  Inquiry<int> inquiry([answers]() mutable {
    const auto next = answers.front();
    answers.pop();
    return next.get();
  });
  inquiry.begin();
  CHECK(inquiry.take(in(Millis{20})) == std::nullopt);
  inquiry.begin();  // it hangs still
  first.set_value(1);
  CHECK(inquiry.take(in(Millis{200})) == std::nullopt);
  second.set_value(2);
  std::optional<int> answer;
  for (const auto end = in(Millis{10'000}); !answer && Steady::now() < end;) {
    inquiry.begin();
    answer = inquiry.take(in(Millis{1000}));
  }
  CHECK(answer == 2);
}
