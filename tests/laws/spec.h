/// What the value of a type is, told from the history alone: which changes are visible, and which
/// of them had seen which. A specification shares no code with crdt/types; spec/<type>.cc holds
/// one.
#pragma once

#include <span>
#include <string_view>

#include "tests/laws/history.h"
#include "tests/laws/view.h"

namespace tributary::laws {

/// The view of one key after `visible`, its changes of all actors in (actor, seq) order.
using Spec = View (*)(std::span<const Event> visible);

/// A static object of this class in spec/<type>.cc makes the specification known.
class SpecOf {
 public:
  SpecOf(std::string_view type, Spec spec);
};

/// nullptr when the type has none.
[[nodiscard]] Spec find_spec(std::string_view type);

}  // namespace tributary::laws
