#include "cli/lacking.h"

#include <algorithm>

#include "base/text.h"

namespace tributary::cli {
namespace {

std::string range(Seq first, Seq last) {
  if (first == last) return "change " + std::to_string(last.value);
  return "changes " + std::to_string(first.value) + " to " + std::to_string(last.value);
}

const VersionVector& watermark_of(const RegionFacts& region) {
  return region.replica->progress.watermark;
}

/// A region that holds the actor's changes up to `seq`: rather one that holds all of `wanting`'s,
/// too, so that its Redis may be copied over that one's.
const RegionFacts* holder(const SystemFacts& facts, const RegionFacts& wanting, ActorId actor,
                          Seq seq) {
  const RegionFacts* found = nullptr;
  for (const RegionFacts& region : facts.regions) {
    if (!region.replica || watermark_of(region).get(actor) < seq) continue;
    if (watermark_of(region).covers(watermark_of(wanting))) return &region;
    if (found == nullptr) found = &region;
  }
  return found;
}

/// Which actor's changes are lacking, in words.
std::string whose(const Lag& lag, ActorId actor, const ActorTarget& target, bool retired) {
  if (lag.origin.empty()) return " of actor " + actor.hex() + " of an origin that nobody knows";
  const std::string origin = printable(lag.origin);
  if (!lag.in_topology) {
    return " of actor " + actor.hex() + " of origin " + origin + ", which is not in the topology";
  }
  if (retired) return " of the retired origin " + origin + " (actor " + actor.hex() + ")";
  if (target.current) return " of origin " + origin;
  if (!target.final_seq) return " of actor " + actor.hex() + " of origin " + origin;
  return " of actor " + actor.hex() + ", one that origin " + origin + " had before";
}

constexpr const char* kOnlySource =
    "; no region holds them: only its stream, or its database with a relay, can bring them";

/// Why `region` lacks changes of `actor`, and how they will come.
std::string lacking(const SystemFacts& facts, const RegionFacts& region, const Lag& lag,
                    ActorId actor, const ActorTarget& target) {
  const Seq here = region.replica->progress.watermark.get(actor);
  const RegionFacts* other = holder(facts, region, actor, target.target);
  const bool retired = std::ranges::any_of(facts.origins, [&](const OriginFacts& origin) {
    return origin.name == lag.origin && origin.retired;
  });
  const std::string start = "region " + region.name + " lacks " +
                            range(here.next(), target.target) + whose(lag, actor, target, retired);
  const std::string copy = other == nullptr ? "" : by_copy(region, *other);
  if (target.final_seq && *target.final_seq < target.target && here >= *target.final_seq) {
    return start + ", which ended at seq " + std::to_string(target.final_seq->value) +
           ": what came after is void and never arrives; to make the regions equal, " + copy;
  }
  if (lag.origin.empty() && other != nullptr) return start + "; to bring them, " + copy;
  if (!lag.in_topology) {
    return start + "; add the origin to the topology again, with `retired: true` if its database " +
           "is gone" + (other == nullptr ? kOnlySource : "; if its stream is gone, too, " + copy);
  }
  if (retired && other == nullptr) {
    return start +
           "; its stream still brings them if it is there; otherwise only its database can, "
           "without `retired: true`, and with a relay: no region holds them";
  }
  if (retired) return start + "; if they do not arrive because its stream is gone, " + copy;
  return start + "; they arrive in a moment, or the log of `tributary consumer --region " +
         region.name +
         "` says why not (docs/operations.md, \"An origin is stopped at a gap\"); start it if it "
         "does not run";
}

}  // namespace

std::string by_copy(const RegionFacts& wanting, const RegionFacts& holder) {
  if (watermark_of(holder).covers(watermark_of(wanting))) {
    return "copy the Redis of region " + holder.name +
           " (docs/operations.md, \"A new or empty replica\")";
  }
  return "region " + holder.name + " has them, but lacks changes that region " + wanting.name +
         " holds: do not copy one over the other, that would lose some everywhere; let region " +
         holder.name + " get what it lacks first";
}

std::vector<std::string> lacking_of(const SystemFacts& facts, const ActorTargets& targets,
                                    const std::vector<std::vector<Lag>>& lags) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < facts.regions.size(); ++i) {
    for (const Lag& lag : lags[i]) {
      for (const auto& [actor, missing] : lag.missing) {
        out.push_back(lacking(facts, facts.regions[i], lag, actor, targets.at(actor)));
      }
    }
  }
  return out;
}

}  // namespace tributary::cli
