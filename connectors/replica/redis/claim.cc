#include "connectors/replica/redis/claim.h"

#include <string>

#include "connectors/replica/redis/layout.h"

namespace tributary::redis {
namespace {

// KEYS: consumer. ARGV: a region, milliseconds. Whose the claim is. One that never ends is no
// consumer's: another program left it, and it must not stop the region for ever. (A user may lack
// PTTL: then it counts.)
constexpr std::string_view kClaimScript = R"lua(
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] and redis.pcall('PTTL', KEYS[1]) ~= -1 then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
)lua";

}  // namespace

Result<void> claim(Connection& connection, const RegionName& region, Millis time) {
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection.call({"EVAL", kClaimScript, "1", kConsumer.name, region.value,
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
