#include "connectors/replica/redis/progress.h"

#include <algorithm>

#include "base/text.h"
#include "connectors/replica/redis/read_context.lua.h"
#include "connectors/replica/redis/sample_progress.lua.h"

namespace tributary::redis {
namespace {

// KEYS: watermark, progress, hlc, actors, token, unfinished.
constexpr std::string_view kProgressScript =
    "return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2]),"
    " redis.call('GET', KEYS[3]), redis.call('HGETALL', KEYS[4]), redis.call('GET', KEYS[5]),"
    " redis.call('GET', KEYS[6])}";

constexpr std::string_view kLoweredKeys = "1000";
constexpr std::string_view kHalf = "unfinished ";  ///< how the token of a stopped commit begins

/// Calls each(name, value) for the pairs of a hash.
template <typename Each>
void each_pair(const redisReply& pairs, Each each) {
  for (std::size_t i = 0; i + 1 < size(pairs); i += 2) each(text(at(pairs, i)), at(pairs, i + 1));
}

std::string unreadable(const SharedKey& key, std::string_view field) {
  return std::string(key.name) + " holds what Tributary did not write at field " +
         in_quotes(field) + ": ";
}

std::string of_nobody(const SharedKey& key, std::string_view field) {
  return unreadable(key, field) + "it is nobody's and passed over; remove that field";
}

void doubt(const SharedKey& key, ActorId actor, ReplicaProgress& progress) {
  const bool watermark = key.name == kWatermark.name;
  std::string why =
      unreadable(key, actor.hex()) + "nobody can tell " +
      (watermark ? "how much of this actor was applied"
                 : "whose this actor is and whether it is retired") +
      ", so its origin is stopped here, and what it publishes waits in its changelog. "
      "Copy another region's replica over this one (docs/operations.md, \"A new or "
      "empty replica\")";
  progress.damage.push_back(why);
  progress.doubtful.emplace(actor, std::move(why));
}

/// 20 digits; anything else is no timestamp of ours, and makes none.
std::optional<Hlc> decode_hlc(const redisReply& reply) {
  const auto number = text(reply).size() == 20 ? parse_u64(text(reply)) : std::nullopt;
  return number ? std::optional(Hlc{*number}) : std::nullopt;
}

void take_watermark(const redisReply& pairs, ReplicaProgress& progress) {
  each_pair(pairs, [&](std::string_view name, const redisReply& value) {
    const auto actor = ActorId::from_hex(name);
    const auto seq = parse_u64(text(value));
    if (!actor) progress.damage.push_back(of_nobody(kWatermark, name));
    else if (!seq) doubt(kWatermark, *actor, progress);
    else progress.watermark.raise(*actor, Seq{*seq});
  });
}

void take_actors(const redisReply& pairs, ReplicaProgress& progress) {
  each_pair(pairs, [&](std::string_view name, const redisReply& value) {
    const auto actor = ActorId::from_hex(name);
    auto record = decode_actor(text(value));
    if (!actor) progress.damage.push_back(of_nobody(kActors, name));
    else if (!record) doubt(kActors, *actor, progress);
    else progress.actors.emplace(*actor, std::move(*record));
  });
}

/// Where an origin stands by its actors: its changelog is read from the start, once more.
std::optional<OriginProgress> from_actors(const OriginName& origin,
                                          const ReplicaProgress& progress) {
  std::optional<OriginProgress> found;
  for (const auto& [actor, record] : progress.actors) {
    if (record.origin != origin || record.final_seq) continue;
    if (found) return std::nullopt;
    found = OriginProgress{actor, Offset{0}, progress.watermark.get(actor), Hlc{}};
  }
  return found;
}

/// After the watermark and the actors.
void take_origins(const redisReply& pairs, ReplicaProgress& progress) {
  each_pair(pairs, [&](std::string_view name, const redisReply& value) {
    OriginName origin{std::string(name)};
    auto known = decode_progress(text(value));
    if (!known) {
      progress.damage.push_back(unreadable(kProgress, name) +
                                "where that origin stands is taken from its actors, and its "
                                "changelog is read from the start; remove that field if there is "
                                "no such origin");
      known = from_actors(origin, progress);
    }
    if (known) progress.origins.emplace(std::move(origin), *known);
  });
  for (const auto& [actor, record] : progress.actors) {
    if (progress.origins.contains(record.origin)) continue;
    if (const auto known = from_actors(record.origin, progress)) {
      progress.origins.emplace(record.origin, *known);
    }
  }
}

/// After the origins: they tell where time stood when it is lost, as far as any change was applied.
void take_hlc(const redisReply& reply, ReplicaProgress& progress) {
  const auto hlc = decode_hlc(reply);
  progress.hlc = hlc.value_or(Hlc{});
  const bool none_applied = is_nil(reply) && progress.watermark.empty();
  if (hlc || none_applied) return;
  for (const auto& [origin, each] : progress.origins) {
    progress.hlc = std::max(progress.hlc, each.hlc);
  }
  if (is_nil(reply)) return;
  progress.damage.push_back(std::string(kHlc.name) +
                            " holds what Tributary did not write: the time is taken from the "
                            "origins, and the next commit writes it anew");
}

/// Keys of a commit that stopped twice are there twice. After the token.
void take_unfinished(const redisReply& reply, ReplicaProgress& progress) {
  auto [names, whole] = decode_names(text(reply));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  progress.unfinished = std::move(names);
  const bool dropped = is_nil(reply) && progress.token.starts_with(kHalf);
  if (whole && !dropped) return;
  if (dropped) {
    progress.damage.push_back(
        std::string(kUnfinished.name) +
        " was dropped by another program after a commit had stopped half-way: "
        "the views of its keys are found by and by; the next commit ends this");
    return;
  }
  progress.damage.push_back(std::string(kUnfinished.name) +
                            " holds what Tributary did not write: should a commit have stopped "
                            "half-way, the views of its keys are found by and by; the next commit "
                            "drops it");
}

}  // namespace

/// Of an actor that cannot be read nothing counts as seen: too little is safe.
LoweredSeqs decode_lowest(const redisReply& pairs) {
  LoweredSeqs lowest;
  each_pair(pairs, [&](std::string_view name, const redisReply& value) {
    const auto actor = ActorId::from_hex(name);
    if (actor) lowest.emplace(*actor, Seq{parse_u64(text(value)).value_or(0)});
  });
  return lowest;
}

Error explained(Connection& connection, Error error) {
  if (error.message.find("WRONGTYPE") == std::string::npos) return error;
  for (const SharedKey& key : kSharedKeys) {
    const auto reply = connection.call({"TYPE", key.name});
    if (!reply) return error;
    const std::string_view found = text(**reply);
    if (found == "none" || found == key.type) continue;
    std::string what = connection.where() + std::string(key.name) + " holds a Redis ";
    what.append(found).append(", where Tributary keeps a ").append(key.type);
    what.append("; another program wrote it, so stop that. The consumer moves it aside");
    return {ErrorKind::kTransient, std::move(what)};
  }
  return error;
}

VersionVector decode_watermark(const redisReply& pairs) {
  ReplicaProgress progress;
  take_watermark(pairs, progress);
  return std::move(progress.watermark);
}

Result<ReplicaProgress> read_progress(Connection& connection) {
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection.call({"EVAL", kProgressScript, "6", kWatermark.name, kProgress.name,
                                    kHlc.name, kActors.name, kToken.name, kUnfinished.name}));
  ReplicaProgress progress;
  take_watermark(at(*reply, 0), progress);
  take_actors(at(*reply, 3), progress);
  take_origins(at(*reply, 1), progress);
  take_hlc(at(*reply, 2), progress);
  progress.token = text(at(*reply, 4));
  take_unfinished(at(*reply, 5), progress);
  return progress;
}

Result<ProgressSample> read_sample(Connection& connection, std::span<const ActorId> actors) {
  Arguments arguments;
  for (const ActorId actor : actors) arguments.add(actor.hex());
  TRIBUTARY_ASSIGN(const Reply reply, connection.call({"EVAL", embedded::kSampleProgressLua, "3",
                                                       kToken.name, kWatermark.name, kActors.name},
                                                      arguments));
  ProgressSample sample;
  sample.token = text(at(*reply, 0));
  sample.watermark_size = static_cast<std::uint64_t>(integer(at(*reply, 1)));
  sample.actors_size = static_cast<std::uint64_t>(integer(at(*reply, 2)));
  for (std::size_t i = 0; i < actors.size(); ++i) {
    const redisReply& pair = at(at(*reply, 3), i);
    if (const auto seq = parse_u64(text(at(pair, 0)))) sample.watermark.raise(actors[i], Seq{*seq});
    if (auto record = decode_actor(text(at(pair, 1)))) {
      sample.actors.emplace(actors[i], std::move(*record));
    }
  }
  return sample;
}

Result<ReplicaContext> read_context(Connection& connection) {
  TRIBUTARY_ASSIGN(const Reply reply,
                   connection.call({"EVAL", embedded::kReadContextLua, "4", kWatermark.name,
                                    kHlc.name, kBlocked.name, kLowest.name, kLoweredKeys}));
  ReplicaContext context;
  context.watermark = decode_watermark(at(*reply, 0));
  const auto hlc = decode_hlc(at(*reply, 1));
  context.hlc = hlc.value_or(Hlc{});
  if (!hlc && !(is_nil(at(*reply, 1)) && context.watermark.empty())) {
    TRIBUTARY_ASSIGN(const ReplicaProgress progress, read_progress(connection));
    context.hlc = progress.hlc;
  }
  const redisReply& pairs = at(*reply, 3);
  if (integer(at(*reply, 2)) < 0) {  // another program dropped what blocked keys have seen
    context.watermark = {};
    return context;
  }
  if (integer(at(*reply, 2)) == 0) {
    context.watermark = lower(std::move(context.watermark), decode_lowest(pairs));
    return context;
  }
  each_pair(pairs, [&](std::string_view key, const redisReply& bytes) {
    context.lowered.emplace(key, decode_block(text(bytes)).before);
  });
  return context;
}

}  // namespace tributary::redis
