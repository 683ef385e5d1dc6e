#include "connectors/replica/redis/block_indexes.h"

#include <algorithm>
#include <string>

#include "connectors/replica/redis/block_indexed.lua.h"
#include "connectors/replica/redis/index_blocks.lua.h"
#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/progress.h"

namespace tributary::redis {
namespace {

Result<Reply> run(Connection& connection, std::string_view script, const Arguments& rest) {
  return connection.call(
      {"EVAL", script, "4", kBlocked.name, kBlockedKeys.name, kIncomplete.name, kLowest.name},
      rest);
}

/// Whoever is in the index was blocked. How much of its changes is still there nobody knows; it has
/// seen no less than the least that any blocked key had.
Result<void> block_again(Connection& connection, std::uint64_t nonce) {
  TRIBUTARY_ASSIGN(const Reply lowest, connection.call({"HGETALL", kLowest.name}));
  KeyBlock block;
  block.before = decode_lowest(*lowest);
  block.incomplete = true;
  block.reason = "another program dropped its block; it is being rebuilt from the changelogs";
  const std::string bytes = encode(block, ActorId{nonce}.hex());
  std::string from = "-";
  while (true) {
    Arguments arguments;
    arguments.add(from);
    arguments.add(bytes);
    TRIBUTARY_ASSIGN(const Reply last, run(connection, embedded::kBlockIndexedLua, arguments));
    if (is_nil(*last)) return {};
    from.assign("(").append(text(*last));
  }
}

Result<void> index_page(Connection& connection, const redisReply& pairs) {
  Arguments arguments;
  LoweredSeqs lowest;
  arguments.add_number(size(pairs) / 2);
  for (std::size_t i = 0; i + 1 < size(pairs); i += 2) {
    const KeyBlock block = decode_block(text(at(pairs, i + 1)));
    arguments.add(text(at(pairs, i)));
    arguments.add(text(at(pairs, i + 1)));
    arguments.add(block.incomplete ? "1" : "0");
    for (const auto& [actor, seq] : block.before) {
      const auto least = lowest.emplace(actor, seq).first;
      least->second = std::min(least->second, seq);
    }
  }
  for (const auto& [actor, seq] : lowest) {
    arguments.add(actor.hex());
    arguments.add_number(seq.value);
  }
  return run(connection, embedded::kIndexBlocksLua, arguments).map([](const Reply&) {});
}

}  // namespace

Result<void> mend_block_indexes(Connection& connection, std::uint64_t nonce) {
  TRIBUTARY_TRY(block_again(connection, nonce));
  std::string cursor = "0";
  do {
    TRIBUTARY_ASSIGN(const Reply page,
                     connection.call({"HSCAN", kBlocked.name, cursor, "COUNT", "100"}));
    TRIBUTARY_TRY(index_page(connection, at(*page, 1)));
    cursor = text(at(*page, 0));
  } while (cursor != "0");
  return {};
}

}  // namespace tributary::redis
