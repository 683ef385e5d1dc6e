#include <algorithm>

#include <tributary/connectors/redis/progress.h>

namespace tributary::redis {
namespace {

// KEYS: watermark, progress, hlc, actors, token, unfinished.
constexpr std::string_view kProgressScript =
    "return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]),"
    " redis.call('GET', KEYS[3]), redis.call('HGETALL', KEYS[4]), redis.call('GET', KEYS[5]),"
    " redis.call('GET', KEYS[6])}";

// KEYS: watermark, hlc, blocked, lowest. ARGV: how many blocked keys are told one by one.
constexpr std::string_view kContextScript = R"lua(
local few = redis.call('HLEN', KEYS[3]) <= tonumber(ARGV[1])
return {redis.call('HGETALL', KEYS[1]), redis.call('GET', KEYS[2]), few and 1 or 0,
        redis.call('HGETALL', few and KEYS[3] or KEYS[4])}
)lua";
constexpr std::string_view kLoweredKeys = "1000";

Result<Hlc> decode_hlc(const Connection& connection, const redisReply& reply) {
  if (is_nil(reply)) return Hlc{};
  const auto number = parse_u64(text(reply));
  if (!number) return damaged(connection, kHlc, {});
  return Hlc{*number};
}

/// Keys of a commit that stopped twice are there twice.
Result<std::vector<std::string>> decode_unfinished(const Connection& connection,
                                                   const redisReply& reply) {
  auto names = decode_names(text(reply));
  if (!names) return damaged(connection, kUnfinished, {});
  std::sort(names->begin(), names->end());
  names->erase(std::unique(names->begin(), names->end()), names->end());
  return std::move(*names);
}

Result<LoweredSeqs> decode_lowest(const Connection& connection, const redisReply& pairs) {
  LoweredSeqs lowest;
  for (std::size_t i = 0; i + 1 < size(pairs); i += 2) {
    const auto actor = ActorId::from_hex(text(at(pairs, i)));
    const auto seq = parse_u64(text(at(pairs, i + 1)));
    if (!actor || !seq) return damaged(connection, kLowest, {});
    lowest.emplace(*actor, Seq{*seq});
  }
  return lowest;
}

}  // namespace

tl::unexpected<Error> damaged(const Connection& connection, const SharedKey& key,
                              std::string_view found) {
  std::string what = connection.where() + std::string(key.name) + " holds ";
  if (found.empty()) what.append("what Tributary did not write");
  else what.append("a Redis ").append(found).append(", where Tributary keeps a ").append(key.type);
  what.append(
      "; another program wrote to it, so stop that first. Then copy another region's replica over "
      "this one (docs/operations.md, \"A new or empty replica\"). Emptying this Redis instead "
      "loses "
      "the parked changes, and all that the streams do not hold any more");
  return fail(ErrorKind::kFatal, std::move(what));
}

Error explained(Connection& connection, Error error) {
  if (error.message.find("WRONGTYPE") == std::string::npos) return error;
  for (const SharedKey& key : kSharedKeys) {
    const auto reply = connection.call({"TYPE", key.name});
    if (!reply) return error;
    const std::string_view found = text(**reply);
    if (found != "none" && found != key.type) return damaged(connection, key, found).value();
  }
  return error;
}

Result<VersionVector> decode_watermark(const Connection& connection, const redisReply& pairs) {
  VersionVector watermark;
  for (std::size_t i = 0; i + 1 < size(pairs); i += 2) {
    const auto actor = ActorId::from_hex(text(at(pairs, i)));
    const auto seq = parse_u64(text(at(pairs, i + 1)));
    if (!actor || !seq) return damaged(connection, kWatermark, {});
    watermark.raise(*actor, Seq{*seq});
  }
  return watermark;
}

Result<ReplicaProgress> read_progress(Connection& connection) {
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection.call({"EVAL", kProgressScript, "6", kWatermark.name, kProgress.name,
                                    kHlc.name, kActors.name, kToken.name, kUnfinished.name}));
  ReplicaProgress progress;
  TRIBUTARY_ASSIGN(progress.watermark, decode_watermark(connection, at(*reply, 0)));
  const redisReply& origins = at(*reply, 1);
  for (std::size_t i = 0; i + 1 < size(origins); i += 2) {
    const auto origin = decode_progress(text(at(origins, i + 1)));
    if (!origin) return damaged(connection, kProgress, {});
    progress.origins.emplace(OriginName{std::string(text(at(origins, i)))}, *origin);
  }
  TRIBUTARY_ASSIGN(progress.hlc, decode_hlc(connection, at(*reply, 2)));
  const redisReply& actors = at(*reply, 3);
  for (std::size_t i = 0; i + 1 < size(actors); i += 2) {
    const auto actor = ActorId::from_hex(text(at(actors, i)));
    auto record = decode_actor(text(at(actors, i + 1)));
    if (!actor || !record) return damaged(connection, kActors, {});
    progress.actors.emplace(*actor, std::move(*record));
  }
  progress.token = text(at(*reply, 4));
  TRIBUTARY_ASSIGN(progress.unfinished, decode_unfinished(connection, at(*reply, 5)));
  return progress;
}

Result<ReplicaContext> read_context(Connection& connection) {
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection.call({"EVAL", kContextScript, "4", kWatermark.name, kHlc.name,
                                    kBlocked.name, kLowest.name, kLoweredKeys}));
  ReplicaContext context;
  TRIBUTARY_ASSIGN(context.watermark, decode_watermark(connection, at(*reply, 0)));
  TRIBUTARY_ASSIGN(context.hlc, decode_hlc(connection, at(*reply, 1)));
  const redisReply& pairs = at(*reply, 3);
  if (integer(at(*reply, 2)) == 0) {
    TRIBUTARY_ASSIGN(const LoweredSeqs lowest, decode_lowest(connection, pairs));
    context.watermark = lower(std::move(context.watermark), lowest);
    return context;
  }
  for (std::size_t i = 0; i + 1 < size(pairs); i += 2) {
    const KeyBlock block = decode_block(text(at(pairs, i + 1)));
    context.lowered.emplace(text(at(pairs, i)), block.before);
  }
  return context;
}

}  // namespace tributary::redis
