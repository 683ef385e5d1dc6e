#include <algorithm>

#include <tributary/base/outage.h>
#include <tributary/base/text.h>
#include <tributary/cli/status.h>

namespace tributary::cli {
namespace {

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

}  // namespace

Result<void> StatusGatherer::ask_outbox(const config::Origin& origin, OriginFacts& facts) {
  std::unique_ptr<OutboxStore>& store = stores_[origin.name.value];
  if (store == nullptr) {
    TRIBUTARY_ASSIGN(store, store_of(origin)());
  }
  TRIBUTARY_ASSIGN(const OutboxStatus outbox, store->status());
  if (outbox.parked > 0) {
    TRIBUTARY_ASSIGN(const auto parked, store->parked(0, 1));
    if (!parked.empty())
      facts.parked_example = about_key(parked.front().key, parked.front().reason);
  }
  facts.outbox = outbox;
  return {};
}

std::string StatusGatherer::stream_problem(const config::Origin& origin) {
  std::unique_ptr<Changelog>& changelog = changelogs_[origin.region.value];
  const auto asked = [&]() -> Result<void> {
    if (changelog == nullptr) {
      const config::Region& region = *topology_.region(origin.region);
      TRIBUTARY_ASSIGN(changelog, changelog_of(topology_, region, region.name));
    }
    TRIBUTARY_TRY(changelog->last(origin.name));
    return {};
  }();
  return asked ? std::string() : asked.error().message;
}

OriginFacts StatusGatherer::origin(const config::Origin& origin) {
  OriginFacts facts{.name = origin.name.value,
                    .region = origin.region.value,
                    .retired = origin.retired,
                    .outbox = {},
                    .problem = {},
                    .refused = false,
                    .stream_problem = {},
                    .parked_example = {}};
  if (origin.retired) return facts;
  if (const auto asked = ask_outbox(origin, facts); !asked) {
    stores_.erase(origin.name.value);
    facts.problem = asked.error().message;
    facts.refused = needs_person(asked.error().kind);
  }
  facts.stream_problem = stream_problem(origin);
  return facts;
}

Result<void> StatusGatherer::ask_replica(const config::Region& region, RegionFacts& facts) {
  Replica& replica = replicas_[region.name.value];
  if (replica.store == nullptr) {
    TRIBUTARY_ASSIGN(replica.store, replica_of(region)());
    TRIBUTARY_ASSIGN(replica.warnings, replica.store->warnings());
  }
  ReplicaFacts found;
  TRIBUTARY_ASSIGN(found.progress, replica.store->progress());
  TRIBUTARY_ASSIGN(found.parked, replica.store->parked_count());
  if (found.parked > 0) {
    TRIBUTARY_ASSIGN(found.parked_example, first_parked(*replica.store));
  }
  found.warnings = replica.warnings;
  facts.replica = std::move(found);
  return {};
}

RegionFacts StatusGatherer::region(const config::Region& region) {
  RegionFacts facts{.name = region.name.value, .replica = {}, .problem = {}, .refused = false};
  if (const auto asked = ask_replica(region, facts); !asked) {
    replicas_.erase(region.name.value);
    facts.problem = asked.error().message;
    facts.refused = needs_person(asked.error().kind);
  }
  return facts;
}

StatusReport StatusGatherer::gather() {
  SystemFacts facts;
  for (const config::Origin& each : topology_.origins) facts.origins.push_back(origin(each));
  for (const config::Region& each : topology_.regions) facts.regions.push_back(region(each));
  for (const std::string& name : outrun_origins(facts)) {
    const auto place = std::ranges::find(facts.origins, name, &OriginFacts::name);
    *place = origin(*topology_.origin({name}));
  }
  facts.now = SystemClock().wall();
  return judge(std::move(facts));
}

}  // namespace tributary::cli
