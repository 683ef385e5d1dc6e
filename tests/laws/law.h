/// How a law is checked: against thousands of generated plans, for every registered type. A failure
/// shows the shortest plan found, the story of what happened in it, and how to run it again.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tributary/crdt/type.h>

namespace tributary::laws {

/// The seeds of one case: who takes part, and what happens step by step.
struct Plan {
  std::uint64_t setup = 0;
  std::vector<std::uint64_t> steps;
};

std::ostream& operator<<(std::ostream& out, const Plan& plan);

/// A law does not hold.
class Broken : public std::exception {
 public:
  explicit Broken(std::string what) : what_(std::move(what)) {}
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  std::string what_;
};

/// Throws Broken unless `holds`.
inline void require(bool holds, std::string_view otherwise) {
  if (!holds) throw Broken(std::string(otherwise));
}

/// Where a run tells what it does; nullptr while nobody listens, which is nearly always.
using Story = std::ostream*;

using Law = std::function<void(const crdt::Type& type, const Plan& plan, Story story)>;

/// Checks `law` for every registered type in 10,000 cases (or as many as the environment variable
/// TRIBUTARY_LAW_CASES says); a broken one fails the doctest case.
void check_law(std::string_view name, const Law& law);

}  // namespace tributary::laws
