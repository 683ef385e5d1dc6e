#include "tests/laws/law.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <ostream>
#include <sstream>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "tests/laws/dice.h"

namespace tributary::laws {
namespace {

constexpr int kCases = 10'000;
constexpr std::size_t kFewestSteps = 8;

int cases() {
  const char* wanted = std::getenv("TRIBUTARY_LAW_CASES");
  return wanted == nullptr ? kCases : std::max(1, std::atoi(wanted));
}

/// Plans grow with rapidcheck's size and shrink by losing steps; a step keeps its seed.
rc::Shrinkable<Plan> generate(const rc::Random& random, int size) {
  rc::Random numbers = random;
  Dice dice(numbers.next());
  Plan plan{dice.next(), {}};
  const auto longest = kFewestSteps + static_cast<std::size_t>(size);
  plan.steps.resize(kFewestSteps + dice.below(longest));
  for (std::uint64_t& step : plan.steps) step = dice.next();
  return rc::shrinkable::shrinkRecur(std::move(plan), [](const Plan& larger) {
    return rc::seq::map(rc::shrink::removeChunks(larger.steps),
                        [setup = larger.setup](std::vector<std::uint64_t> steps) {
                          return Plan{setup, std::move(steps)};
                        });
  });
}

void run(const crdt::Type& type, const Law& law, const Plan& plan) {
  try {
    law(type, plan, nullptr);
  } catch (const Broken& broken) {
    std::ostringstream story;
    try {
      law(type, plan, &story);
    } catch (const Broken&) {
      RC_LOG(story.str());
    }
    RC_FAIL(broken.what());
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Plan& plan) {
  out << "setup " << plan.setup << ", steps";
  for (const std::uint64_t step : plan.steps) out << ' ' << step;
  return out;
}

void check_law(std::string_view name, const Law& law) {
  const rc::Gen<Plan> plans(generate);
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = cases();
  for (const crdt::Type* type : crdt::types()) {
    const std::string title = std::string(type->name) + ": " + std::string(name);
    INFO(title, "; run again with RC_PARAMS=seed=", params.seed,
         " TRIBUTARY_LAW_CASES=", params.maxSuccess);
    const auto result = rc::detail::checkTestable([&] { run(*type, law, *plans); },
                                                  rc::detail::TestMetadata{title, title}, params);
    std::ostringstream told;
    rc::detail::printResultMessage(result, told);
    const bool holds = result.template is<rc::detail::SuccessResult>();
    CHECK_MESSAGE(holds, told.str());
  }
}

}  // namespace tributary::laws
