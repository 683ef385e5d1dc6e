#include <tributary/crdt/type.h>

namespace tributary::crdt {

std::vector<FieldTotals> no_totals(std::string_view /*delta*/) { return {}; }

FieldSelection no_deferred(const State& /*state*/) { return {}; }

VersionVector none_awaited(const State& /*state*/) { return {}; }

JoinResult nothing_to_prune(State& /*state*/, const VersionVector& /*watermark*/) { return {}; }

}  // namespace tributary::crdt
