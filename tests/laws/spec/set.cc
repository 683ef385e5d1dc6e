/// A set holds an element when some visible add of it was seen by no visible remove of the element
/// and by no visible clear.
#include <algorithm>

#include "tests/laws/spec.h"

namespace tributary::laws {
namespace {

View add_wins(std::span<const Event> visible) {
  View view;
  for (const Event& add : visible) {
    if (add.operation->name != "add") continue;
    const bool removed = std::any_of(visible.begin(), visible.end(), [&](const Event& other) {
      const bool concerns = other.operation->name == "clear" ||
                            (other.operation->name == "remove" && other.value == add.value);
      return concerns && other.saw(add);
    });
    if (!removed) view.members.emplace(add.value, "");
  }
  return view;
}

const SpecOf kSet("set", add_wins);

}  // namespace
}  // namespace tributary::laws
