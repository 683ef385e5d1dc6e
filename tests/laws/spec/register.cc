/// A register is what the visible write that is largest by (hlc, actor, seq) says.
#include <tuple>

#include "tests/laws/spec.h"

namespace tributary::laws {
namespace {

View last_writer(std::span<const Event> visible) {
  const auto rank = [](const Event& event) {
    return std::tuple(event.hlc.value, event.actor.value, event.seq.value);
  };
  const Event* last = nullptr;
  for (const Event& event : visible) {
    if (last == nullptr || rank(event) > rank(*last)) last = &event;
  }
  View view;
  if (last != nullptr && last->operation->name == "set") view.text = last->value;
  return view;
}

const SpecOf kRegister("register", last_writer);

}  // namespace
}  // namespace tributary::laws
