#include "connectors/replica/redis/permissions.h"

#include <algorithm>

#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/touch.lua.h"

namespace tributary::redis {
namespace {

constexpr std::size_t kKeysAtOnce = 1000;

bool touched(const redisReply& reply) { return !is_error(reply) && integer(reply) == 1; }

Result<bool> touches_own(Connection& connection) {
  Arguments arguments;
  arguments.add_number(kSharedKeys.size() + 2);
  for (const SharedKey& key : kSharedKeys) arguments.add(key.name);
  arguments.add(kConsumer.name);
  arguments.add(state_key("probe").whole());
  connection.queue({"EVAL", embedded::kTouchLua}, arguments);
  TRIBUTARY_TRY(connection.send());
  TRIBUTARY_ASSIGN(const Reply reply, connection.receive({kNoPermission}));
  return touched(*reply);
}

}  // namespace

bool denied(const Error& error) {
  return error.message.find(kNoPermission) != std::string::npos ||
         error.message.find("The user executing the script can't") != std::string::npos;
}

Result<void> probe_own_keys(Connection& connection) {
  TRIBUTARY_ASSIGN(const bool own, touches_own(connection));
  if (own) return {};
  return fail(ErrorKind::kFatal,
              connection.where() +
                  "the user may not touch the keys that Tributary keeps for itself: grant "
                  "~tributary:* (ACL SETUSER; docs/operations.md has the whole list)");
}

Result<std::vector<std::string_view>> refused_keys(Connection& connection,
                                                   std::span<const std::string_view> keys) {
  std::vector<std::string_view> refused;
  TRIBUTARY_ASSIGN(const bool own, touches_own(connection));
  if (!own) return refused;
  while (!keys.empty()) {
    const auto some = keys.first(std::min(keys.size(), kKeysAtOnce));
    for (const std::string_view key : some) {
      connection.queue({"EVAL", embedded::kTouchLua, "2", state_key(key).whole(), key});
    }
    TRIBUTARY_TRY(connection.send());
    for (const std::string_view key : some) {
      TRIBUTARY_ASSIGN(const Reply reply, connection.receive({kNoPermission}));
      if (!touched(*reply)) refused.push_back(key);
    }
    keys = keys.subspan(some.size());
  }
  return refused;
}

}  // namespace tributary::redis
