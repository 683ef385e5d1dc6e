#include "connectors/replica/replica_store.h"

namespace tributary {

std::string parked_id(const OriginName& origin, ActorId actor, Seq last_seq, std::string_view key) {
  const std::string digits = std::to_string(last_seq.value);
  std::string id = origin.value;
  id.append("/").append(actor.hex()).append("/").append(20 - digits.size(), '0').append(digits);
  return id.append("/").append(key);
}

std::string_view parked_key(std::string_view id) {
  const std::size_t origin = id.find('/');
  constexpr std::size_t kFixed = 1 + 16 + 1 + 20 + 1;  // "/actor/seq/"
  if (origin == std::string_view::npos || id.size() <= origin + kFixed) return {};
  if (!ActorId::from_hex(id.substr(origin + 1, 16))) return {};
  return id.substr(origin + kFixed);
}

Result<ReplicaProgress> certain_progress(ReplicaStore& store) {
  TRIBUTARY_ASSIGN(ReplicaProgress progress, store.progress());
  if (progress.doubtful.empty()) return progress;
  return fail(ErrorKind::kTransient, progress.doubtful.begin()->second);
}

std::string shared_replica(const RegionName& region, const RegionName& other) {
  return "the consumer of region \"" + other.value +
         "\" writes to this replica, too, which is that of region \"" + region.value +
         "\": a region needs a Redis, or a database of one, of its own; correct the topology. If "
         "this "
         "one was copied or renamed just now, all goes on by itself half a minute after the other "
         "consumer has ended here";
}

}  // namespace tributary
