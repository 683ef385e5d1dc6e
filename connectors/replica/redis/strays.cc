#include "connectors/replica/redis/strays.h"

#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/mark_incomplete.lua.h"
#include "connectors/replica/redis/move_stray.lua.h"
#include "connectors/replica/redis/permissions.h"
#include "connectors/replica/redis/progress.h"

namespace tributary::redis {
namespace {

constexpr std::string_view kPrefix = "tributary:";
constexpr std::string_view kAside = "tributary:stray:";
constexpr int kKept = 4;  ///< of each name; another one takes the place of the last

constexpr std::string_view kStops =
    "nobody can tell any more, so the origins are stopped here, and what they publish waits in "
    "their changelogs. Copy another region's replica over this one (docs/operations.md, \"A new or "
    "empty replica\")";

/// What follows for the replica.
std::string consequence(const SharedKey& key) {
  const std::string_view name = key.name;
  if (name == kWatermark.name) return "how much of each actor was applied " + std::string(kStops);
  if (name == kActors.name) return "whose which actor is " + std::string(kStops);
  if (name == kProgress.name) {
    return "where the origins stand is taken from their actors, and their changelogs are read from "
           "the start";
  }
  if (name == kParked.name) {
    return "the changes that were set aside are gone: their keys are rebuilt from the changelogs; "
           "of whole messages that were set aside nothing is left";
  }
  if (name == kBlocked.name) {
    return "why keys are blocked is gone: they stay so until they are rebuilt from the changelogs";
  }
  if (name == kUnfinished.name) {
    return "should a commit have stopped half-way, the views of its keys are found by and by";
  }
  return "it is made anew";
}

/// A block of a key of which nothing is known but that it is blocked. `lowest`: what any has seen.
std::string unknown_block(const LoweredSeqs& lowest) {
  KeyBlock block;
  block.before = lowest;
  block.incomplete = true;
  block.reason = "another program wrote over tributary:blocked; the key is being rebuilt";
  return encode(block, "0000000000000000");
}

/// The least that any blocked key has seen: nothing, when that cannot be told.
Result<LoweredSeqs> read_lowest(Connection& connection) {
  LoweredSeqs lowest;
  for (const SharedKey& key : {kLowest, kWatermark}) {
    connection.queue({"HGETALL", key.name});
    TRIBUTARY_TRY(connection.send());
    TRIBUTARY_ASSIGN(const Reply reply, connection.receive({"WRONGTYPE"}));
    const bool told = key.name == kLowest.name;
    for (std::size_t i = 0; i + 1 < size(*reply); i += 2) {
      const auto actor = ActorId::from_hex(text(at(*reply, i)));
      const std::uint64_t seq = told ? parse_u64(text(at(*reply, i + 1))).value_or(0) : 0;
      if (actor) lowest[*actor] = Seq{seq};
    }
    if (!lowest.empty()) return lowest;
  }
  return lowest;
}

Result<Reply> move(Connection& connection, const SharedKey& key, const std::string& block) {
  std::vector<std::string> places;
  for (int n = 1; n <= kKept; ++n) {
    std::string place(kAside);
    place.append(key.name.substr(kPrefix.size()));
    if (n > 1) place.append(":").append(std::to_string(n));
    places.push_back(std::move(place));
  }
  Arguments arguments;
  arguments.add(std::to_string(1 + places.size() + 8));
  arguments.add(key.name);
  for (const std::string& place : places) arguments.add(place);
  for (const SharedKey& each : {kWatermark, kActors, kProgress, kBlocked, kBlockedKeys, kIncomplete,
                                kLowest, kParkedKeys}) {
    arguments.add(each.name);
  }
  arguments.add(key.type);
  arguments.add(std::to_string(places.size()));
  arguments.add(block);
  return connection.call({"EVAL", embedded::kMoveStrayLua}, arguments);
}

/// Keys whose parked changes went with tributary:parked have to be rebuilt.
Result<void> mark_bereaved(Connection& connection) {
  std::string cursor = "0";
  do {
    TRIBUTARY_ASSIGN(const Reply page,
                     connection.call({"HSCAN", kBlocked.name, cursor, "COUNT", "100"}));
    const redisReply& pairs = at(*page, 1);
    for (std::size_t i = 0; i + 1 < size(pairs); i += 2) {
      const std::string_view bytes = text(at(pairs, i + 1));
      KeyBlock block = decode_block(bytes);
      if (block.incomplete || block.bodies == 0) continue;
      block.incomplete = true;
      block.bodies = 0;
      block.reason += "; another program wrote over tributary:parked: the key is being rebuilt";
      TRIBUTARY_TRY(connection.call({"EVAL", embedded::kMarkIncompleteLua, "2", kBlocked.name,
                                     kIncomplete.name, text(at(pairs, i)), bytes,
                                     encode(block, block.mark.substr(0, 15) + "x")}));
    }
    cursor = text(at(*page, 0));
  } while (cursor != "0");
  return {};
}

std::string told(const SharedKey& key, std::string_view found, std::string_view place) {
  std::string what(key.name);
  what.append(" held a Redis ").append(found).append(", where Tributary keeps a ").append(key.type);
  what.append("; another program wrote it, so stop that. It is kept as ").append(place);
  return what + " until you delete it; " + consequence(key);
}

}  // namespace

Result<std::vector<std::string>> move_strays_aside(Connection& connection) {
  for (const SharedKey& key : kSharedKeys) connection.queue({"TYPE", key.name});
  TRIBUTARY_TRY(connection.send());
  std::vector<SharedKey> strays;
  for (const SharedKey& key : kSharedKeys) {
    TRIBUTARY_ASSIGN(const Reply type, connection.receive());
    if (text(*type) != "none" && text(*type) != key.type) strays.push_back(key);
  }
  std::vector<std::string> moved;
  if (strays.empty()) return moved;
  TRIBUTARY_ASSIGN(const LoweredSeqs lowest, read_lowest(connection));
  const std::string block = unknown_block(lowest);
  bool bereaved = false;
  for (const SharedKey& key : strays) {
    auto reply = move(connection, key, block);
    if (!reply && denied(reply.error())) {
      return fail(ErrorKind::kFatal,
                  connection.where() + "another program's key stands in the place of " +
                      std::string(key.name) +
                      ", and the user may not move it aside: grant +rename (ACL SETUSER)");
    }
    if (!reply) return fail(std::move(reply).error());
    if (size(**reply) < 2) continue;
    bereaved = bereaved || key.name == kParked.name;
    moved.push_back(told(key, text(at(**reply, 0)), text(at(**reply, 1))));
  }
  if (bereaved) TRIBUTARY_TRY(mark_bereaved(connection));
  return moved;
}

}  // namespace tributary::redis
