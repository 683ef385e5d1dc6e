#include "connectors/replica/redis/claim.h"

#include <string>

#include "connectors/replica/redis/claim.lua.h"
#include "connectors/replica/redis/layout.h"

namespace tributary::redis {

Result<void> claim(Connection& connection, const RegionName& region, Millis time) {
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection.call({"EVAL", embedded::kClaimLua, "1", kConsumer.name, region.value,
                                    std::to_string(time.count())}));
  const RegionName owner{std::string(text(*reply))};
  if (owner == region) return {};
  return fail(ErrorKind::kFatal, connection.where() + shared_replica(region, owner));
}

Result<std::optional<RegionName>> read_claim(Connection& connection) {
  TRIBUTARY_ASSIGN(const Reply reply, connection.call({"GET", kConsumer.name}));
  if (text(*reply).empty()) return std::nullopt;
  return RegionName{std::string(text(*reply))};
}

}  // namespace tributary::redis
