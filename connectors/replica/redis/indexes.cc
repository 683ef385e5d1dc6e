#include "connectors/replica/redis/indexes.h"

#include <optional>
#include <string>
#include <utility>

#include "connectors/replica/redis/block_indexes.h"
#include "connectors/replica/redis/deferring.h"
#include "connectors/replica/redis/layout.h"

namespace tributary::redis {
namespace {

// Few at a time: a parked message may have megabytes, and others wait for a script.
//
// KEYS: parked, its index by id, and the one by key. ARGV: a cursor.
constexpr std::string_view kFillScript = R"lua(
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', '8')
local found = page[2]
for i = 1, #found, 2 do
  redis.call('ZADD', KEYS[2], 0, found[i])
  local size = tonumber(string.sub(found[i + 1], 1, 8), 16)
  if size then
    redis.call('ZADD', KEYS[3], 0, string.sub(found[i + 1], 1, 8 + size) .. found[i])
  end
end
return page[1]
)lua";

// KEYS: parked and an index. ARGV: where to begin, as ZRANGEBYLEX has it; 1: ids stand behind a
// key. Drops members that are not parked; answers the last looked at.
constexpr std::string_view kDropScript = R"lua(
local members = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], '+', 'LIMIT', '0', '8')
for _, member in ipairs(members) do
  local size = ARGV[2] == '1' and tonumber(string.sub(member, 1, 8), 16)
  local name = size and string.sub(member, 9 + size) or member
  if not redis.call('HGET', KEYS[1], name) then redis.call('ZREM', KEYS[2], member) end
end
return members[#members]
)lua";

Result<void> drop_strays(Connection& connection, const SharedKey& index, std::string_view by_key) {
  std::string from = "-";
  while (true) {
    TRIBUTARY_ASSIGN(const Reply last, connection.call({"EVAL", kDropScript, "2", kParked.name,
                                                        index.name, from, by_key}));
    if (is_nil(*last)) return {};
    from.assign("(").append(text(*last));
  }
}

Result<void> fill(Connection& connection) {
  std::string cursor = "0";
  do {
    TRIBUTARY_ASSIGN(const Reply reply,
                     connection.call({"EVAL", kFillScript, "3", kParked.name, kParkedIds.name,
                                      kParkedKeys.name, cursor}));
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
