#include "crdt/kernel/running_totals.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/check.h"

namespace tributary::crdt::kernel {

void encode(ByteWriter& out, const Totals& totals) {
  out.varint(static_cast<std::uint64_t>(totals.increments));
  out.varint(static_cast<std::uint64_t>(totals.decrements));
}

Totals decode_totals(ByteReader& in) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::uint64_t increments = in.varint();
  const std::uint64_t decrements = in.varint();
  if (increments > kMost || decrements > kMost) in.fail();
  return {static_cast<std::int64_t>(increments), static_cast<std::int64_t>(decrements)};
}

namespace {

/// Calls each(actor, totals) in actor order. Whether encoded() wrote the bytes.
template <typename Each>
bool decode_each(std::string_view bytes, Each each) {
  ByteReader in(bytes);
  std::optional<ActorId> last;
  while (in.ok() && !in.at_end()) {
    const ActorId actor{in.fixed64()};
    if (last && actor <= *last) in.fail();
    last = actor;
    each(actor, decode_totals(in));
  }
  return in.ok() && last;
}

}  // namespace

bool RunningTotals::wrote(std::string_view bytes) {
  return decode_each(bytes, [](ActorId /*actor*/, const Totals& /*totals*/) {});
}

RunningTotals RunningTotals::decode(std::string_view bytes) {
  RunningTotals all;
  CHECK(decode_each(bytes, [&](ActorId actor, const Totals& totals) {
    all.actors_.push_back({actor, totals});
  }));
  return all;
}

std::string RunningTotals::encoded() const {
  ByteWriter out;
  for (const ActorTotals& each : actors_) {
    out.fixed64(each.actor.value);
    encode(out, each.totals);
  }
  return out.take();
}

void RunningTotals::raise(ActorId actor, const Totals& totals) {
  const auto at = std::ranges::lower_bound(actors_, actor, {}, &ActorTotals::actor);
  if (at == actors_.end() || at->actor != actor) {
    actors_.insert(at, {actor, totals});
    return;
  }
  at->totals.increments = std::max(at->totals.increments, totals.increments);
  at->totals.decrements = std::max(at->totals.decrements, totals.decrements);
}

void RunningTotals::raise(const RunningTotals& others) {
  for (const ActorTotals& each : others.actors_) raise(each.actor, each.totals);
}

std::string RunningTotals::sum() const {
  __extension__ using Wide = __int128;
  Wide sum = 0;
  for (const auto& [actor, totals] : actors_) sum += Wide{totals.increments} - totals.decrements;
  const bool negative = sum < 0;
  if (negative) sum = -sum;
  std::string digits;
  do {
    digits.push_back(static_cast<char>('0' + static_cast<int>(sum % 10)));
    sum /= 10;
  } while (sum != 0);
  if (negative) digits.push_back('-');
  std::ranges::reverse(digits);
  return digits;
}

}  // namespace tributary::crdt::kernel
