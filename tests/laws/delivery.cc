#include "tests/laws/delivery.h"

#include <algorithm>

namespace tributary::laws {

Stream seal_again(const crdt::Type& type, const Author& author, std::size_t longest, Dice& dice) {
  Stream stream;
  std::span<const Event> rest = author.events();
  while (!rest.empty()) {
    const std::size_t count = std::min(rest.size(), 1 + dice.below(longest));
    stream.push_back(seal_deltas(type, rest.first(count)));
    rest = rest.subspan(count);
  }
  return stream;
}

Replica deliver(const crdt::Type& type, const std::vector<Stream>& streams, Dice& dice) {
  Replica replica;
  std::vector<std::size_t> next(streams.size(), 0);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (!streams[i].empty()) open.push_back(i);
  }
  while (!open.empty()) {
    const std::size_t chosen = dice.below(open.size());
    const std::size_t stream = open[chosen];
    apply(type, replica, streams[stream][next[stream]]);
    if (dice.percent(25)) apply(type, replica, streams[stream][dice.below(next[stream] + 1)]);
    if (++next[stream] == streams[stream].size()) {
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(chosen));
    }
  }
  return replica;
}

}  // namespace tributary::laws
