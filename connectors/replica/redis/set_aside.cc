#include "connectors/replica/redis/set_aside.h"

#include <algorithm>

#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/parked_sizes.lua.h"

namespace tributary::redis {
namespace {

constexpr std::size_t kAtOnce = 100;  // bodies may be large

/// Up to `limit` members of an index, from `first` to `last` as ZRANGEBYLEX has them.
Result<std::vector<std::string>> read_index(Connection& connection, const SharedKey& index,
                                            std::string_view first, std::string_view last,
                                            std::size_t limit) {
  TRIBUTARY_ASSIGN(const Reply reply, connection.call({"ZRANGEBYLEX", index.name, first, last,
                                                       "LIMIT", "0", std::to_string(limit)}));
  std::vector<std::string> members;
  for (std::size_t i = 0; i < size(*reply); ++i) members.emplace_back(text(at(*reply, i)));
  return members;
}

std::string behind(std::string_view after) {
  return after.empty() ? "-" : "(" + std::string(after);
}

/// Calls each(name, value) for those of `names` that `hash` has.
template <typename Each>
Result<void> read_values(Connection& connection, const SharedKey& hash,
                         const std::vector<std::string>& names, Each each) {
  for (std::size_t start = 0; start < names.size(); start += kAtOnce) {
    const std::size_t end = std::min(start + kAtOnce, names.size());
    Arguments arguments;
    for (std::size_t i = start; i < end; ++i) arguments.add(names[i]);
    TRIBUTARY_ASSIGN(const Reply reply, connection.call({"HMGET", hash.name}, arguments));
    for (std::size_t i = start; i < end; ++i) {
      const redisReply& value = at(*reply, i - start);
      if (!is_nil(value)) each(names[i], text(value));
    }
  }
  return {};
}

Result<std::vector<ParkedEntry>> read_bodies(Connection& connection,
                                             const std::vector<std::string>& ids) {
  std::vector<ParkedEntry> parked;
  TRIBUTARY_TRY(read_values(connection, kParked, ids, [&](const auto& id, std::string_view body) {
    parked.push_back(decode_parked(id, body));
  }));
  return parked;
}

}  // namespace

Result<std::vector<ParkedEntry>> read_parked(Connection& connection, std::string_view after,
                                             std::size_t limit) {
  TRIBUTARY_ASSIGN(const auto ids, read_index(connection, kParkedIds, behind(after), "+", limit));
  return read_bodies(connection, ids);
}

Result<std::vector<ReplicaStore::ParkedSize>> read_parked_sizes(Connection& connection,
                                                                std::string_view after,
                                                                std::size_t limit) {
  TRIBUTARY_ASSIGN(const auto ids, read_index(connection, kParkedIds, behind(after), "+", limit));
  std::vector<ReplicaStore::ParkedSize> sizes;
  if (ids.empty()) return sizes;
  Arguments arguments;
  for (const std::string& id : ids) arguments.add(id);
  TRIBUTARY_ASSIGN(
      const Reply lengths,
      connection.call({"EVAL", embedded::kParkedSizesLua, "1", kParked.name}, arguments));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    sizes.push_back({ids[i], static_cast<std::uint64_t>(integer(at(*lengths, i)))});
  }
  return sizes;
}

Result<std::vector<ParkedEntry>> read_parked_for(Connection& connection, std::string_view key,
                                                 std::size_t limit) {
  const std::string start = index_of_key(key);
  TRIBUTARY_ASSIGN(auto ids,
                   read_index(connection, kParkedKeys, "[" + start, "(" + start + "\xff", limit));
  for (std::string& id : ids) id.erase(0, start.size());
  return read_bodies(connection, ids);
}

Result<std::vector<std::string>> read_discarded(Connection& connection) {
  TRIBUTARY_ASSIGN(const Reply reply, connection.call({"HGETALL", kDiscarded.name}));
  std::vector<std::string> ids;
  for (std::size_t i = 0; i + 1 < size(*reply); i += 2) ids.emplace_back(text(at(*reply, i)));
  std::ranges::sort(ids);
  return ids;
}

Result<std::uint64_t> count_parked(Connection& connection) {
  connection.queue({"HLEN", kParked.name});
  connection.queue({"SCARD", kIncomplete.name});
  connection.queue({"HLEN", kBlocked.name});
  TRIBUTARY_TRY(connection.send());
  TRIBUTARY_ASSIGN(const Reply bodies, connection.receive());
  TRIBUTARY_ASSIGN(const Reply incomplete, connection.receive());
  TRIBUTARY_ASSIGN(const Reply blocked, connection.receive());
  const auto parked = integer(*bodies) + integer(*incomplete);
  return static_cast<std::uint64_t>(std::max(parked, integer(*blocked)));
}

Result<std::vector<std::pair<std::string, KeyBlock>>> read_blocked(Connection& connection,
                                                                   std::string_view after,
                                                                   std::size_t limit) {
  TRIBUTARY_ASSIGN(const auto keys,
                   read_index(connection, kBlockedKeys, behind(after), "+", limit));
  std::vector<std::pair<std::string, KeyBlock>> blocked;
  TRIBUTARY_TRY(read_values(connection, kBlocked, keys, [&](const auto& key, auto block) {
    blocked.emplace_back(key, decode_block(block));
  }));
  return blocked;
}

}  // namespace tributary::redis
