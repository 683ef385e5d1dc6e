#include "cli/reasons.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "base/text.h"
#include "cli/lacking.h"

namespace tributary::cli {
namespace {

using Sentences = std::vector<std::string>;

std::string changes(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " change" : " changes");
}

std::string waits(std::uint64_t count) {
  return changes(count) + (count == 1 ? " waits" : " wait");
}

std::string are(std::uint64_t count) { return changes(count) + (count == 1 ? " is" : " are"); }

/// What waits longer is held up.
constexpr Micros kMoment{10'000'000};

std::string age(Micros since, Micros now) {
  const std::int64_t seconds = std::max<std::int64_t>(0, (now - since).count() / 1'000'000);
  char text[32];
  if (seconds < 100) {
    std::snprintf(text, sizeof(text), "%lld s", static_cast<long long>(seconds));
  } else {
    std::snprintf(text, sizeof(text), "%lld:%02lld:%02lld", static_cast<long long>(seconds / 3600),
                  static_cast<long long>(seconds / 60 % 60), static_cast<long long>(seconds % 60));
  }
  return text;
}

/// A server that runs is not mended by starting it.
std::string unasked(bool refused, const std::string& problem) {
  return (refused ? "does not let us look (" : "was not reached (") + printable(problem) + ")";
}

void add_unreached(const SystemFacts& facts, Sentences& out) {
  for (const RegionFacts& region : facts.regions) {
    if (region.replica) continue;
    out.push_back("region " + region.name + ": its replica " +
                  unasked(region.refused, region.problem) + ", so nobody knows what it holds; " +
                  (region.refused ? "give this login what it lacks" : "start or mend it") +
                  ", or correct `regions." + region.name + ".replica` in the topology");
  }
  for (const OriginFacts& origin : facts.origins) {
    if (origin.retired) continue;
    if (!origin.outbox) {
      out.push_back(
          "origin " + origin.name + ": its database " + unasked(origin.refused, origin.problem) +
          ", so nobody knows what waits there; " +
          (origin.refused ? "give this login, or the outbox, what it lacks" : "start it") +
          ", or correct `origins." + origin.name + "` in the topology");
    }
    if (!origin.stream_problem.empty()) {
      out.push_back("origin " + origin.name + ": its stream on the broker of region " +
                    origin.region + " cannot be read (" + printable(origin.stream_problem) +
                    "), so nothing new of it arrives anywhere; mend the broker or its login");
    }
  }
}

std::string relay_of(const OriginFacts& origin) {
  return "`tributary relay --origin " + origin.name + "`";
}

std::string went_back(const OriginFacts& origin, const std::string& where, Seq held) {
  return "origin " + origin.name + ": its database says that it sealed " +
         changes(origin.outbox->head_seq.value) + ", but " + where + " holds " +
         std::to_string(held.value) +
         ": the database was restored, or another copy of it is in use. A relay finds that out "
         "when it begins or seals, and goes on under a new actor: start " +
         relay_of(origin) + " if none runs; if one does and this stays, its log says why";
}

/// The actor that the origin's database goes on with is not the one that regions wait for.
void add_gone_back(const OriginFacts& origin, const SystemFacts& facts, Sentences& out) {
  if (!origin.outbox || !origin.outbox->actor) return;
  const ActorId actor = *origin.outbox->actor;
  for (const RegionFacts& region : facts.regions) {
    if (!region.replica) continue;
    const ReplicaProgress& progress = region.replica->progress;
    const auto record = progress.actors.find(actor);
    if (record != progress.actors.end() && record->second.final_seq) {
      out.push_back(
          "origin " + origin.name + ": its database says that its actor is " + actor.hex() +
          ", which ended at seq " + std::to_string(record->second.final_seq->value) +
          " for region " + region.name +
          ": another copy of the database took over, and what this one publishes is void. "
          "If the origin lives in the other one, correct `origins." +
          origin.name +
          ".database`, here and for the relay; if in this one, stop the "
          "other's relay and restart " +
          relay_of(origin) + ", which goes on under a new actor when it begins");
      return;
    }
    const Seq held = progress.watermark.get(actor);
    if (held > origin.outbox->head_seq) {
      out.push_back(went_back(origin, "region " + region.name, held));
      return;
    }
  }
  if (origin.stream_end && origin.stream_end->actor == actor &&
      origin.stream_end->head > origin.outbox->head_seq) {
    out.push_back(went_back(origin, "its stream", origin.stream_end->head));
  }
}

void add_set_aside(const SystemFacts& facts, Sentences& out) {
  const auto add = [&](const std::string& what, const std::string& name, std::uint64_t parked,
                       const std::string& example) {
    if (parked == 0) return;
    const std::string where = " --" + what + " " + name;
    // A plain retry leaves those in doubt alone, whatever was mended.
    const bool in_doubt = example.find("in doubt after a restore") != std::string::npos;
    out.push_back(what + " " + name + ": " + are(parked) + " set aside" +
                  (example.empty() ? "" : ", the first: " + example) +
                  "; see `tributary parked list" + where + "`, " +
                  (in_doubt ? "and decide as docs/operations.md says, \"Parked changes\""
                            : "mend the cause, then `tributary parked retry" + where + "`"));
  };
  for (const OriginFacts& origin : facts.origins) {
    if (origin.outbox) add("origin", origin.name, origin.outbox->parked, origin.parked_example);
  }
  for (const RegionFacts& region : facts.regions) {
    if (!region.replica) continue;
    add("region", region.name, region.replica->parked, region.replica->parked_example);
    for (const std::string& damage : region.replica->progress.damage) {
      out.push_back("region " + region.name + ": " + damage);
    }
    const std::size_t unfinished = region.replica->progress.unfinished.size();
    if (unfinished == 0) continue;
    out.push_back("region " + region.name + ": a commit stopped half-way, the views of " +
                  std::to_string(unfinished) +
                  " keys may be wrong until `tributary consumer --region " + region.name +
                  "` has made them whole; start it if it does not run");
  }
}

/// Regions that gave up the same changes are equal all the same.
void add_discarded(const SystemFacts& facts, Sentences& out) {
  for (const RegionFacts& region : facts.regions) {
    if (!region.replica || region.replica->discarded.empty()) continue;
    for (const RegionFacts& other : facts.regions) {
      if (!other.replica) continue;
      std::vector<std::string> alone;
      std::ranges::set_difference(region.replica->discarded, other.replica->discarded,
                                  std::back_inserter(alone));
      if (alone.empty()) continue;
      out.push_back(
          "region " + region.name + ": " + changes(alone.size()) +
          (alone.size() == 1 ? " was" : " were") + " discarded by hand, and not in region " +
          other.name + ", so that they differ; the first: " + printable(alone.front()) +
          ". If it waits there, too, discard it there; otherwise " + by_copy(region, other));
      break;
    }
  }
}

void add_waiting(const SystemFacts& facts, Sentences& out) {
  for (const OriginFacts& origin : facts.origins) {
    if (!origin.outbox) continue;
    const OutboxStatus& outbox = *origin.outbox;
    const std::string start = "origin " + origin.name + ": ";
    const std::string relay = relay_of(origin);
    if (outbox.depth > 0) {
      out.push_back(
          start +
          (outbox.depth > OutboxStatus::kMostCounted
               ? "more than " + waits(OutboxStatus::kMostCounted)
               : waits(outbox.depth)) +
          " in the outbox" +
          (outbox.oldest > Micros{0} ? ", the oldest since " + age(outbox.oldest, facts.now) : "") +
          (facts.now - outbox.oldest < kMoment ? "; a relay takes them in a moment"
                                               : "; no relay takes them") +
          ": start " + relay + " if none runs; if one does, its log says what holds them up");
    }
    if (outbox.unconfirmed > 0) {
      out.push_back(start + are(outbox.unconfirmed) +
                    " sealed and not yet confirmed by the broker of region " + origin.region +
                    "; if that stays so, start " + relay +
                    " if none runs; if one does, its log says what holds them up");
    }
  }
}

/// Nobody remembers a retired origin: its changes are lost, or it never had any.
void add_forgotten(const SystemFacts& facts, const ActorTargets& targets, Sentences& out) {
  for (const OriginFacts& origin : facts.origins) {
    const bool known = std::ranges::any_of(
        targets, [&](const auto& each) { return each.second.origin == origin.name; });
    if (!origin.retired || known) continue;
    out.push_back("the retired origin " + origin.name +
                  " is known to no region: its changes are not here any more, or there never were "
                  "any; bring them back by its stream or a copy of a Redis that holds them; if it "
                  "never wrote anything, take it out of the topology");
  }
}

/// Regions must not differ in whose an actor is.
void add_disputed(const SystemFacts& facts, const ActorTargets& targets, Sentences& out) {
  for (const RegionFacts& region : facts.regions) {
    if (!region.replica) continue;
    for (const auto& [actor, record] : region.replica->progress.actors) {
      const std::string& other = targets.at(actor).origin;
      if (record.origin.value == other) continue;
      out.push_back("actor " + actor.hex() + " belongs to origin " +
                    printable(record.origin.value) + " in region " + region.name +
                    " and to origin " + printable(other) +
                    " elsewhere: two outboxes had the same actor (a copied database?), or a "
                    "message was forged; see docs/operations.md, \"Backup and restore of an "
                    "origin's database\"");
    }
  }
}

/// What somebody goes by for one origin, up to a seq of its actor.
struct History {
  std::string holder;
  ActorId actor;
  Seq seq;
  HistoryDigest digest;
};

std::vector<History> histories_of(const OriginFacts& origin, const SystemFacts& facts) {
  std::vector<History> histories;
  if (origin.outbox && origin.outbox->actor) {
    const OutboxStatus& outbox = *origin.outbox;
    histories.push_back({"its database", *outbox.actor, outbox.head_seq, outbox.history});
    if (const auto last = last_published(outbox.former)) {
      histories.push_back({"its database", last->actor, last->final_seq, outbox.former_history});
    }
  }
  for (const RegionFacts& region : facts.regions) {
    if (!region.replica) continue;
    const ReplicaProgress& progress = region.replica->progress;
    const auto known = progress.origins.find(OriginName{origin.name});
    if (known == progress.origins.end()) continue;
    const ActorId actor = known->second.actor;
    histories.push_back(
        {"region " + region.name, actor, progress.watermark.get(actor), known->second.history});
  }
  return histories;
}

/// The same seqs stand for different changes.
void add_differing(const OriginFacts& origin, const SystemFacts& facts, Sentences& out) {
  const std::vector<History> histories = histories_of(origin, facts);
  for (auto one = histories.begin(); one != histories.end(); ++one) {
    const auto differs = [&](const History& other) {
      return one->actor == other.actor && one->seq == other.seq &&
             one->digest.contradicts(other.digest);
    };
    const auto other = std::find_if(histories.begin(), one, differs);
    if (other == one) continue;
    out.push_back("origin " + origin.name + ": " + one->holder + " holds other changes of actor " +
                  one->actor.hex() + " up to seq " + std::to_string(one->seq.value) + " than " +
                  other->holder +
                  ": the database was put back to an earlier state, and the same numbers were "
                  "given twice; see docs/operations.md, \"Regions hold different changes\"");
  }
}

bool knows(const ReplicaProgress& progress, const std::string& origin) {
  return progress.origins.contains(OriginName{origin}) ||
         std::ranges::any_of(progress.actors, [&](const auto& actor) {
           return actor.second.origin.value == origin;
         });
}

/// Streams that neither the topology nor a replica names cannot be found: brokers list none.
void add_unknown(const SystemFacts& facts, const std::vector<std::vector<Lag>>& lags,
                 Sentences& out) {
  std::map<std::string, std::string> regions_of;
  for (std::size_t i = 0; i < lags.size(); ++i) {
    for (const Lag& lag : lags[i]) {
      if (lag.in_topology) continue;
      std::string& regions = regions_of[lag.origin];
      if (!knows(facts.regions[i].replica->progress, lag.origin)) continue;
      regions += (regions.empty() ? "" : ", ") + facts.regions[i].name;
    }
  }
  for (const auto& [name, regions] : regions_of) {
    out.push_back(name.empty()
                      ? "replicas hold changes of actors whose origin nobody knows"
                      : "replicas (" + regions + ") know of origin " + printable(name) +
                            ", which is not in the topology: nobody reads its stream; if it is "
                            "retired, keep it there with `retired: true`, so that a replica that "
                            "lacks its changes is noticed");
  }
}

}  // namespace

std::vector<std::string> reasons_of(const SystemFacts& facts, const ActorTargets& targets,
                                    const std::vector<std::vector<Lag>>& lags) {
  Sentences out;
  add_unreached(facts, out);
  for (const OriginFacts& origin : facts.origins) add_gone_back(origin, facts, out);
  for (const OriginFacts& origin : facts.origins) add_differing(origin, facts, out);
  add_disputed(facts, targets, out);
  add_set_aside(facts, out);
  add_discarded(facts, out);
  add_waiting(facts, out);
  std::ranges::move(lacking_of(facts, targets, lags), std::back_inserter(out));
  add_forgotten(facts, targets, out);
  return out;
}

std::vector<std::string> warnings_of(const SystemFacts& facts,
                                     const std::vector<std::vector<Lag>>& lags) {
  Sentences out;
  add_unknown(facts, lags, out);
  for (const RegionFacts& region : facts.regions) {
    if (!region.replica) continue;
    for (const std::string& warning : region.replica->warnings) {
      out.push_back("region " + region.name + ": " + printable(warning));
    }
  }
  return out;
}

}  // namespace tributary::cli
