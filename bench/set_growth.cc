/// What one join costs by the number of elements that it touches: as much for each, however large
/// the set. The last lines tell how the cost grows.
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <tributary/crdt/type.h>

#include "crdt/kernel/dotted_store.h"

namespace tributary {
namespace {

constexpr ActorId kWriter{1};
constexpr ActorId kAhead{2};

std::vector<std::string> names_of(char first, std::int64_t elements) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < elements; ++i)
    names.push_back(first + std::to_string(1'000'000 + i));
  return names;
}

class OneSet {
 public:
  OneSet() {
    state_.set_complete();
    contexts_.emplace_back().raise(kAhead, Seq{9});
  }

  void joins(const crdt::kernel::DottedDelta& delta, Seq last) {
    crdt::ViewEdits edits;
    crdt::find_type("set")->join(crdt::kernel::encode(delta),
                                 {kWriter, last, contexts_, &watermark_}, state_, edits);
    benchmark::DoNotOptimize(edits);
  }

 private:
  crdt::State state_;
  std::vector<VersionVector> contexts_;
  VersionVector watermark_;
};

/// Times the second of two joins to one set.
void time_second(benchmark::State& state, const crdt::kernel::DottedDelta& first,
                 const crdt::kernel::DottedDelta& second) {
  for (auto _ : state) {
    state.PauseTiming();
    OneSet set;
    set.joins(first, Seq{1});
    state.ResumeTiming();
    set.joins(second, Seq{2});
  }
  state.SetComplexityN(state.range(0));
}

/// A clear of so many elements in one delta with as many adds, in front of all that were there.
void refill(benchmark::State& state) {
  const auto before = names_of('b', state.range(0));
  const auto after = names_of('a', state.range(0));
  crdt::kernel::DottedDelta fill;
  for (const std::string& each : before) fill.elements.push_back({each, Seq{1}, {}});
  crdt::kernel::DottedDelta again{.clear = {true, Seq{1}, 0}, .elements = {}};
  for (const std::string& each : after) again.elements.push_back({each, Seq{2}, {}});
  time_second(state, fill, again);
}

crdt::kernel::DottedDelta removes_of(const std::vector<std::string>& names) {
  crdt::kernel::DottedDelta delta;
  for (const std::string& each : names) delta.elements.push_back({each, Seq{}, {true, Seq{}, 0}});
  return delta;
}

/// Removes of so many elements ahead of what they wait for, in front of as many that wait already.
void defer(benchmark::State& state) {
  const auto waiting = names_of('b', state.range(0));
  const auto added = names_of('a', state.range(0));
  time_second(state, removes_of(waiting), removes_of(added));
}

BENCHMARK(refill)->RangeMultiplier(4)->Range(4096, 65536)->Complexity();
BENCHMARK(defer)->RangeMultiplier(4)->Range(4096, 65536)->Complexity();

}  // namespace
}  // namespace tributary
