/// A counter is the sum of all visible adds.
#include "tests/laws/spec.h"

namespace tributary::laws {
namespace {

View counter(std::span<const Event> visible) {
  View view;
  std::int64_t sum = 0;
  for (const Event& event : visible) sum += event.amount;
  if (!visible.empty()) view.text = std::to_string(sum);
  return view;
}

const SpecOf kCounter("counter", counter);

}  // namespace
}  // namespace tributary::laws
