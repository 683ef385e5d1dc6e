#include "connectors/replica/redis/indexes.h"

#include <optional>
#include <string>
#include <utility>

#include "connectors/replica/redis/block_indexes.h"
#include "connectors/replica/redis/deferring.h"
#include "connectors/replica/redis/fill_indexes.lua.h"
#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/trim_index.lua.h"

namespace tributary::redis {
namespace {

Result<void> drop_strays(Connection& connection, const SharedKey& index, std::string_view by_key) {
  std::string from = "-";
  while (true) {
    TRIBUTARY_ASSIGN(const Reply last, connection.call({"EVAL", embedded::kTrimIndexLua, "2",
                                                        kParked.name, index.name, from, by_key}));
    if (is_nil(*last)) return {};
    from.assign("(").append(text(*last));
  }
}

Result<void> fill(Connection& connection) {
  std::string cursor = "0";
  do {
    TRIBUTARY_ASSIGN(const Reply reply,
                     connection.call({"EVAL", embedded::kFillIndexesLua, "3", kParked.name,
                                      kParkedIds.name, kParkedKeys.name, cursor}));
    cursor = text(*reply);
  } while (cursor != "0");
  return {};
}

/// How many are parked, and how many each index has; of blocked keys the same, and 1 while what
/// they have seen at least is known.
Result<std::vector<std::int64_t>> counts(Connection& connection) {
  connection.queue({"HLEN", kParked.name});
  connection.queue({"ZCARD", kParkedIds.name});
  connection.queue({"ZCARD", kParkedKeys.name});
  connection.queue({"HLEN", kBlocked.name});
  connection.queue({"ZCARD", kBlockedKeys.name});
  connection.queue({"HGET", kLowest.name, kMade});
  TRIBUTARY_TRY(connection.send());
  std::vector<std::int64_t> counted;
  std::optional<Error> failed;
  for (int i = 0; i < 6; ++i) {
    auto reply = connection.receive();
    if (!reply) {
      if (!failed) failed = reply.error();
    } else {
      counted.push_back(i < 5 ? integer(**reply) : is_nil(**reply) ? 0 : 1);
    }
  }
  if (failed) return fail(std::move(*failed));
  return counted;
}

bool parked_fit(const std::vector<std::int64_t>& counted) {
  return counted[0] == counted[1] && counted[0] == counted[2];
}

bool blocks_fit(const std::vector<std::int64_t>& counted) {
  return counted[3] == counted[4] && (counted[3] == 0 || counted[5] == 1);
}

}  // namespace

Result<void> Indexes::mend(Connection& connection, bool thoroughly, std::uint64_t nonce) {
  TRIBUTARY_ASSIGN(const auto counted, counts(connection));
  if (!parked_fit(counted) && counted != accepted_) TRIBUTARY_TRY(mend_parked(connection));
  const bool blocks = counted[3] > 0 || counted[4] > 0;
  if (blocks && (thoroughly || !blocks_fit(counted))) {
    TRIBUTARY_TRY(mend_block_indexes(connection, nonce));
  }
  return thoroughly ? unlist_others(connection) : Result<void>();
}

Result<void> Indexes::mend_parked(Connection& connection) {
  TRIBUTARY_TRY(fill(connection));
  TRIBUTARY_TRY(drop_strays(connection, kParkedIds, "0"));
  TRIBUTARY_TRY(drop_strays(connection, kParkedKeys, "1"));
  TRIBUTARY_ASSIGN(accepted_, counts(connection));
  return {};
}

}  // namespace tributary::redis
