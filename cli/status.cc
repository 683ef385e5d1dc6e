#include "cli/status.h"

#include <algorithm>
#include <cstdio>

#include "base/outage.h"
#include "base/text.h"
#include "outbox/batch/batch.h"

namespace tributary::cli {
namespace {

using Clock = std::chrono::steady_clock;

/// Those that answer at all do so by then: the others are not waited for before regions are asked.
constexpr Millis kSoon{2000};
/// Of a server that has just answered, for another question.
constexpr Millis kOnceMore{1000};

std::string about_key(const std::string& key, const std::string& reason) {
  return (key.empty() ? std::string("a message") : "key " + in_quotes(key)) + ": " +
         printable(reason);
}

/// The first of what a replica has set aside; what blocks a key tells more than what waits behind.
Result<std::string> first_parked(ReplicaStore& store) {
  TRIBUTARY_ASSIGN(const auto blocked, store.blocked("", 1));
  if (!blocked.empty()) return about_key(blocked.front().first, blocked.front().second.reason);
  TRIBUTARY_ASSIGN(const auto parked, store.parked("", 1));
  if (!parked.empty()) return about_key(parked.front().key, parked.front().reason);
  return std::string();
}

std::string silence(Millis limit) {
  char text[64];
  std::snprintf(text, sizeof(text), "it did not answer within %.3g s",
                static_cast<double>(limit.count()) / 1000);
  return text;
}

OriginFacts no_facts(const config::Origin& origin) {
  return {.name = origin.name.value,
          .region = origin.region.value,
          .retired = origin.retired,
          .outbox = {},
          .problem = {},
          .refused = false,
          .stream_problem = {},
          .stream_end = {},
          .parked_example = {}};
}

RegionFacts no_facts(const config::Region& region) {
  return {.name = region.name.value, .replica = {}, .problem = {}, .refused = false};
}

/// An origin's database, and the connection to it. One thread at a time, as the other two.
class Outbox {
 public:
  explicit Outbox(const config::Origin& origin)
      : unknown_(no_facts(origin)), open_(store_of(origin)) {}

  OriginFacts facts() {
    OriginFacts facts = unknown_;
    if (const auto asked = ask(facts); !asked) {
      store_.reset();
      facts.problem = asked.error().message;
      facts.refused = needs_person(asked.error().kind);
    }
    return facts;
  }

 private:
  Result<void> ask(OriginFacts& facts) {
    if (store_ == nullptr) {
      TRIBUTARY_ASSIGN(store_, open_());
    }
    TRIBUTARY_ASSIGN(const OutboxStatus outbox, store_->status());
    if (outbox.parked > 0) {
      TRIBUTARY_ASSIGN(const auto parked, store_->parked(0, 1));
      if (!parked.empty())
        facts.parked_example = about_key(parked.front().key, parked.front().reason);
    }
    facts.outbox = outbox;
    return {};
  }

  OriginFacts unknown_;
  OpenStore open_;
  std::unique_ptr<OutboxStore> store_;
};

class Stream {
 public:
  Stream(Result<std::unique_ptr<Changelog>> changelog, OriginName origin)
      : changelog_(std::move(changelog)), origin_(std::move(origin)) {}

  StreamFacts facts() {
    if (!changelog_) return {changelog_.error().message, {}};
    const auto last = (*changelog_)->last(origin_);
    if (!last) return {last.error().message, {}};
    if (!*last) return {};
    const auto batch = decode_batch((*last)->bytes);
    if (!batch || batch->origin != origin_) return {};
    return {{}, StreamEnd{batch->actor, batch->last_seq, batch->former()}};
  }

 private:
  Result<std::unique_ptr<Changelog>> changelog_;  // holds no connection
  OriginName origin_;
};

class Replica {
 public:
  explicit Replica(const config::Region& region)
      : unknown_(no_facts(region)), open_(replica_of(region)) {}

  RegionFacts facts() {
    RegionFacts facts = unknown_;
    if (const auto asked = ask(facts); !asked) {
      store_.reset();
      facts.problem = asked.error().message;
      facts.refused = needs_person(asked.error().kind);
    }
    return facts;
  }

 private:
  Result<void> ask(RegionFacts& facts) {
    if (store_ == nullptr) {
      TRIBUTARY_ASSIGN(store_, open_());
      TRIBUTARY_ASSIGN(warnings_, store_->warnings());
    }
    ReplicaFacts found;
    TRIBUTARY_ASSIGN(found.progress, store_->progress());
    TRIBUTARY_ASSIGN(found.parked, store_->parked_count());
    if (found.parked > 0) {
      TRIBUTARY_ASSIGN(found.parked_example, first_parked(*store_));
    }
    TRIBUTARY_ASSIGN(found.discarded, store_->discarded());
    TRIBUTARY_ASSIGN(const auto consumer, store_->claimed_by());
    const RegionName region{facts.name};
    if (consumer.value_or(region) != region) {
      found.progress.damage.push_back(shared_replica(region, *consumer));
    }
    found.warnings = warnings_;
    facts.replica = std::move(found);
    return {};
  }

  RegionFacts unknown_;
  OpenReplicaStore open_;
  std::unique_ptr<ReplicaStore> store_;
  std::vector<std::string> warnings_;  ///< of its server, when it was opened
};

}  // namespace

StatusGatherer::StatusGatherer(const config::Topology& topology) : topology_(topology) {
  for (const config::Origin& origin : topology.origins) {
    const config::Region& region = *topology.region(origin.region);
    const auto outbox = std::make_shared<Outbox>(origin);
    const auto stream =
        std::make_shared<Stream>(changelog_of(topology, region, region.name), origin.name);
    origins_.emplace(origin.name,
                     Origin{Inquiry<OriginFacts>([outbox] { return outbox->facts(); }),
                            Inquiry<StreamFacts>([stream] { return stream->facts(); })});
  }
  for (const config::Region& region : topology.regions) {
    const auto replica = std::make_shared<Replica>(region);
    regions_.emplace(region.name, Inquiry<RegionFacts>([replica] { return replica->facts(); }));
  }
}

/// Regions after origins: a head that was asked later would be ahead of what a region holds.
void StatusGatherer::ask_all(Millis limit) {
  for (const config::Origin& each : topology_.origins) {
    Origin& origin = origins_.at(each.name);
    if (!each.retired) origin.outbox.begin();
    origin.stream.begin();
  }
  const auto soon = Clock::now() + std::min(kSoon, limit / 2);
  for (auto& [name, origin] : origins_) {
    static_cast<void>(origin.outbox.wait(soon));
    static_cast<void>(origin.stream.wait(soon));
  }
  for (auto& [name, region] : regions_) region.begin();
}

OriginFacts StatusGatherer::origin(const config::Origin& origin, TimePoint until, Millis limit) {
  OriginFacts facts = no_facts(origin);
  Origin& asked = origins_.at(origin.name);
  if (!origin.retired) {
    facts.problem = silence(limit);
    facts = asked.outbox.take(until).value_or(std::move(facts));
  }
  // A retired one's may be gone, and its broker.
  StreamFacts stream = asked.stream.take(origin.retired ? Clock::now() : until)
                           .value_or(StreamFacts{silence(limit), {}});
  facts.stream_end = std::move(stream.end);
  if (!origin.retired) facts.stream_problem = std::move(stream.problem);
  return facts;
}

RegionFacts StatusGatherer::region(const config::Region& region, TimePoint until, Millis limit) {
  RegionFacts unknown = no_facts(region);
  unknown.problem = silence(limit);
  return regions_.at(region.name).take(until).value_or(std::move(unknown));
}

StatusReport StatusGatherer::gather(Millis limit) {
  const auto until = Clock::now() + limit;
  ask_all(limit);
  SystemFacts facts;
  for (const auto& each : topology_.origins) facts.origins.push_back(origin(each, until, limit));
  for (const auto& each : topology_.regions) facts.regions.push_back(region(each, until, limit));
  for (const std::string& name : outrun_origins(facts)) {
    const auto place = std::ranges::find(facts.origins, name, &OriginFacts::name);
    Origin& again = origins_.at({name});
    again.outbox.begin();
    OriginFacts now = no_facts(*topology_.origin({name}));
    now.problem = silence(kOnceMore);
    now = again.outbox.take(Clock::now() + kOnceMore).value_or(std::move(now));
    now.stream_problem = place->stream_problem;
    now.stream_end = place->stream_end;
    *place = std::move(now);
  }
  facts.now = SystemClock().wall();
  return judge(std::move(facts));
}

}  // namespace tributary::cli
