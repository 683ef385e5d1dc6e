#include "connectors/replica/redis/deferring.h"

#include <algorithm>

#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/list_deferring.lua.h"
#include "connectors/replica/redis/permissions.h"

namespace tributary::redis {
namespace {

Result<void> list_all(Connection& connection, std::span<const std::string> keys) {
  if (keys.empty()) return {};
  Arguments arguments;
  arguments.add_number(keys.size() + 1);
  arguments.add(kDeferring.name);
  for (const std::string& key : keys) {
    const StateKey state = state_key(key);
    arguments.add_joined(state.before, state.key, state.after);
  }
  for (const std::string& key : keys) arguments.add(key);
  return connection.call({"EVAL", embedded::kListDeferringLua}, arguments).map([](const Reply&) {});
}

}  // namespace

Result<std::vector<std::string>> read_deferring(Connection& connection, std::size_t limit) {
  // Random ones, so that a key that cannot be pruned does not stand before the others for ever.
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection.call({"SRANDMEMBER", kDeferring.name, std::to_string(limit)}));
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < size(*reply); ++i) keys.emplace_back(text(at(*reply, i)));
  return keys;
}

/// Without those that the user may not touch.
Result<void> list_deferring(Connection& connection, std::span<const std::string> keys) {
  auto listed = list_all(connection, keys);
  if (listed || !denied(listed.error())) return listed;
  const std::vector<std::string_view> asked(keys.begin(), keys.end());
  TRIBUTARY_ASSIGN(const auto refused, refused_keys(connection, asked));
  if (refused.empty()) return listed;
  std::vector<std::string> permitted(keys.begin(), keys.end());
  std::erase_if(permitted, [&](const std::string& key) {
    return std::ranges::find(refused, key) != refused.end();
  });
  return list_all(connection, permitted);
}

Result<void> unlist_others(Connection& connection) {
  std::string cursor = "0";
  do {
    TRIBUTARY_ASSIGN(const Reply page,
                     connection.call({"SSCAN", kDeferring.name, cursor, "COUNT", "100"}));
    std::vector<std::string> keys;
    const redisReply& members = at(*page, 1);
    for (std::size_t i = 0; i < size(members); ++i) keys.emplace_back(text(at(members, i)));
    TRIBUTARY_TRY(list_deferring(connection, keys));
    cursor = text(at(*page, 0));
  } while (cursor != "0");
  return {};
}

}  // namespace tributary::redis
