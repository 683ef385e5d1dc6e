#include <optional>
#include <string>
#include <utility>

#include <tributary/connectors/redis/indexes.h>
#include <tributary/connectors/redis/layout.h>

namespace tributary::redis {
namespace {

// Few at a time: a parked message may have megabytes, and others wait for a script.
//
// KEYS: a hash, its index by name, and (of parked changes) the one by key. ARGV: a cursor.
constexpr std::string_view kFillScript = R"lua(
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', '8')
local found = page[2]
for i = 1, #found, 2 do
  redis.call('ZADD', KEYS[2], 0, found[i])
  local size = KEYS[3] and tonumber(string.sub(found[i + 1], 1, 8), 16)
  if size then
    redis.call('ZADD', KEYS[3], 0, string.sub(found[i + 1], 1, 8 + size) .. found[i])
  end
end
return page[1]
)lua";

// KEYS: a hash and an index. ARGV: where to begin, as ZRANGEBYLEX has it; 1: names stand behind a
// key. Drops members that the hash lacks; answers the last looked at.
constexpr std::string_view kDropScript = R"lua(
local members = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], '+', 'LIMIT', '0', '8')
for _, member in ipairs(members) do
  local size = ARGV[2] == '1' and tonumber(string.sub(member, 1, 8), 16)
  local name = size and string.sub(member, 9 + size) or member
  if not redis.call('HGET', KEYS[1], name) then redis.call('ZREM', KEYS[2], member) end
end
return members[#members]
)lua";

Result<void> drop_strays(Connection& connection, const SharedKey& hash, const SharedKey& index,
                         std::string_view by_key) {
  std::string from = "-";
  while (true) {
    TRIBUTARY_ASSIGN(const Reply last, connection.call({"EVAL", kDropScript, "2", hash.name,
                                                        index.name, from, by_key}));
    if (is_nil(*last)) return {};
    from.assign("(").append(text(*last));
  }
}

Result<void> fill(Connection& connection, const SharedKey& hash, const SharedKey& index,
                  const SharedKey* by_key) {
  std::string cursor = "0";
  do {
    auto page = by_key == nullptr
                    ? connection.call({"EVAL", kFillScript, "2", hash.name, index.name, cursor})
                    : connection.call(
                          {"EVAL", kFillScript, "3", hash.name, index.name, by_key->name, cursor});
    TRIBUTARY_ASSIGN(const Reply reply, std::move(page));
    cursor = text(*reply);
  } while (cursor != "0");
  return {};
}

Result<std::vector<std::int64_t>> counts(Connection& connection) {
  connection.queue({"HLEN", kParked.name});
  connection.queue({"ZCARD", kParkedIds.name});
  connection.queue({"ZCARD", kParkedKeys.name});
  connection.queue({"HLEN", kBlocked.name});
  connection.queue({"ZCARD", kBlockedKeys.name});
  TRIBUTARY_TRY(connection.send());
  std::vector<std::int64_t> counted;
  std::optional<Error> failed;
  for (int i = 0; i < 5; ++i) {
    auto reply = connection.receive();
    if (reply) counted.push_back(integer(**reply));
    else if (!failed) failed = reply.error();
  }
  if (failed) return fail(std::move(*failed));
  return counted;
}

bool equal(const std::vector<std::int64_t>& counted) {
  return counted[0] == counted[1] && counted[0] == counted[2] && counted[3] == counted[4];
}

}  // namespace

Result<void> Indexes::mend(Connection& connection) {
  TRIBUTARY_ASSIGN(const auto counted, counts(connection));
  if (equal(counted) || counted == accepted_) return {};
  TRIBUTARY_TRY(fill(connection, kParked, kParkedIds, &kParkedKeys));
  TRIBUTARY_TRY(drop_strays(connection, kParked, kParkedIds, "0"));
  TRIBUTARY_TRY(drop_strays(connection, kParked, kParkedKeys, "1"));
  TRIBUTARY_TRY(fill(connection, kBlocked, kBlockedKeys, nullptr));
  TRIBUTARY_TRY(drop_strays(connection, kBlocked, kBlockedKeys, "0"));
  TRIBUTARY_ASSIGN(accepted_, counts(connection));
  return {};
}

}  // namespace tributary::redis
