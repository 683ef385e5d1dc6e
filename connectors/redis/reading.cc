#include <algorithm>

#include <tributary/connectors/redis/reading.h>

namespace tributary::redis {

using crdt::ViewKind;

const std::string_view kReadScript = R"lua(
local view, found, value = KEYS[1], redis.call('TYPE', KEYS[1]).ok, {}
if found == 'string' then value = {redis.call('GET', view)}
elseif found == 'set' then value = redis.call('SMEMBERS', view)
elseif found == 'hash' then value = redis.call('HGETALL', view)
elseif found == 'zset' then value = redis.call('ZRANGE', view, 0, -1, 'WITHSCORES')
elseif found == 'list' then value = redis.call('LRANGE', view, 0, -1) end
return {found, value, redis.call('HGET', KEYS[2], 'version'), redis.call('HGETALL', KEYS[3])}
)lua";

std::optional<ViewKind> kind_of(std::string_view redis_type) {
  for (const ViewKind kind : {ViewKind::kString, ViewKind::kSet, ViewKind::kHash,
                              ViewKind::kSortedSet, ViewKind::kList}) {
    if (crdt::to_string(kind) == redis_type) return kind;
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> decode_values(const redisReply& reply,
                                                               ViewKind kind) {
  std::vector<std::pair<std::string, std::string>> values;
  const bool pairs = kind == ViewKind::kHash || kind == ViewKind::kSortedSet;
  for (std::size_t i = 0; i < size(reply); i += pairs ? 2 : 1) {
    std::string first(text(at(reply, i)));
    if (pairs) values.emplace_back(std::move(first), text(at(reply, i + 1)));
    else if (kind == ViewKind::kSet) values.emplace_back(std::move(first), "");
    else values.emplace_back("", std::move(first));
  }
  const bool unordered = kind == ViewKind::kSet || kind == ViewKind::kHash;
  if (unordered) std::sort(values.begin(), values.end());
  return values;
}

}  // namespace tributary::redis
