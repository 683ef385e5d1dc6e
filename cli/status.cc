#include <algorithm>

#include <nlohmann/json.hpp>

#include <tributary/cli/status.h>

namespace tributary::cli {
namespace {

using Json = nlohmann::ordered_json;

double seconds_since(Micros then) {
  const Micros age = SystemClock().wall() - then;
  return std::max(0.0, static_cast<double>(age.count()) / 1e6);
}

/// How far a replica is behind an origin, as far as both could be asked.
LagReport lag_of(const OriginReport& origin, const ReplicaProgress& progress) {
  LagReport lag{.origin = origin.name, .applied_seq = 0, .lag_changes = {}, .lag_seconds = {}};
  const auto known = progress.origins.find(OriginName{origin.name});
  const Micros heard{
      known == progress.origins.end() ? 0 : static_cast<std::int64_t>(known->second.hlc.micros())};
  if (!origin.outbox) {
    if (known != progress.origins.end()) {
      lag.applied_seq = progress.watermark.get(known->second.actor).value;
    }
    return lag;
  }
  if (origin.outbox->actor) lag.applied_seq = progress.watermark.get(*origin.outbox->actor).value;
  const std::uint64_t head = origin.outbox->head_seq.value;
  lag.lag_changes = head > lag.applied_seq ? head - lag.applied_seq : 0;
  lag.lag_seconds = 0;
  if (*lag.lag_changes > 0 && heard > Micros{0}) lag.lag_seconds = seconds_since(heard);
  if (*lag.lag_changes > 0 && heard == Micros{0}) lag.lag_seconds.reset();
  if (origin.outbox->depth > 0 && lag.lag_seconds) {
    lag.lag_seconds = std::max(*lag.lag_seconds, seconds_since(origin.outbox->oldest));
  }
  return lag;
}

bool any_parked(const StatusReport& report) {
  return std::ranges::any_of(report.regions,
                             [](const RegionReport& region) { return region.parked > 0; });
}

bool is_converged(const StatusReport& report) {
  if (!report.all_reached || any_parked(report)) return false;
  for (const OriginReport& origin : report.origins) {
    if (origin.outbox->depth > 0) return false;
  }
  for (const RegionReport& region : report.regions) {
    for (const LagReport& lag : region.lags) {
      if (lag.lag_changes.value_or(1) > 0) return false;
    }
  }
  return true;
}

/// A table row: names to the left, numbers to the right.
std::string row(std::initializer_list<std::string> names,
                std::initializer_list<std::string> numbers) {
  constexpr std::size_t kName = 17;
  constexpr std::size_t kNumber = 13;
  std::string out;
  for (const std::string& name : names) {
    out += name + std::string(name.size() < kName ? kName - name.size() : 1, ' ');
  }
  for (const std::string& number : numbers) {
    out += std::string(number.size() < kNumber ? kNumber - number.size() : 1, ' ') + number;
  }
  return out + "\n";
}

std::string tenths(double seconds) {
  const auto tenths = static_cast<std::int64_t>(seconds * 10 + 0.5);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

}  // namespace

OriginReport StatusGatherer::origin(const config::Origin& origin) {
  OriginReport report{origin.name.value, origin.region.value, {}, {}};
  std::unique_ptr<OutboxStore>& store = stores_[origin.name.value];
  auto status = [&]() -> Result<OutboxStatus> {
    if (store == nullptr) {
      TRIBUTARY_ASSIGN(store, store_of(origin)());
    }
    return store->status();
  }();
  if (status) {
    report.outbox = *status;
  } else {
    store.reset();
    report.problem = status.error().message;
  }
  return report;
}

RegionReport StatusGatherer::region(const config::Region& region, const StatusReport& so_far) {
  RegionReport report{
      .name = region.name.value, .reached = false, .parked = 0, .lags = {}, .problem = {}};
  std::unique_ptr<ReplicaStore>& store = replicas_[region.name.value];
  auto asked = [&]() -> Result<void> {
    if (store == nullptr) {
      TRIBUTARY_ASSIGN(store, replica_of(region)());
    }
    TRIBUTARY_ASSIGN(const ReplicaProgress progress, store->progress());
    TRIBUTARY_ASSIGN(report.parked, store->parked_count());
    for (const OriginReport& origin : so_far.origins) {
      report.lags.push_back(lag_of(origin, progress));
    }
    return {};
  }();
  report.reached = asked.has_value();
  if (!asked) {
    store.reset();
    report.problem = asked.error().message;
  }
  return report;
}

StatusReport StatusGatherer::gather() {
  StatusReport report;
  for (const config::Origin& each : topology_.origins) report.origins.push_back(origin(each));
  for (const config::Region& each : topology_.regions)
    report.regions.push_back(region(each, report));
  for (const OriginReport& each : report.origins) report.all_reached &= each.outbox.has_value();
  for (const RegionReport& each : report.regions) report.all_reached &= each.reached;
  report.converged = is_converged(report);
  return report;
}

std::string to_json(const StatusReport& report) {
  Json origins = Json::array();
  for (const OriginReport& origin : report.origins) {
    Json each{{"name", origin.name}, {"region", origin.region}};
    if (origin.outbox) {
      each["actor"] = origin.outbox->actor ? Json(origin.outbox->actor->hex()) : Json(nullptr);
      each["head_seq"] = origin.outbox->head_seq.value;
      each["confirmed_seq"] = origin.outbox->confirmed_seq.value;
      each["outbox_depth"] = origin.outbox->depth;
      each["unconfirmed"] = origin.outbox->unconfirmed;
      each["parked"] = origin.outbox->parked;
    } else {
      each["problem"] = origin.problem;
    }
    origins.push_back(std::move(each));
  }
  Json regions = Json::array();
  for (const RegionReport& region : report.regions) {
    Json each{{"name", region.name}};
    if (!region.reached) each["problem"] = region.problem;
    if (region.reached) each["parked"] = region.parked;
    each["origins"] = Json::array();
    for (const LagReport& lag : region.lags) {
      each["origins"].push_back(
          {{"origin", lag.origin},
           {"applied_seq", lag.applied_seq},
           {"lag_changes", lag.lag_changes ? Json(*lag.lag_changes) : Json(nullptr)},
           {"lag_seconds", lag.lag_seconds ? Json(*lag.lag_seconds) : Json(nullptr)}});
    }
    regions.push_back(std::move(each));
  }
  return Json{{"converged", report.converged}, {"origins", origins}, {"regions", regions}}.dump(2);
}

std::string to_table(const StatusReport& report) {
  std::string out = row({"ORIGIN", "REGION"}, {"HEAD SEQ", "OUTBOX", "UNCONFIRMED", "PARKED"});
  for (const OriginReport& origin : report.origins) {
    if (!origin.outbox) {
      out += row({origin.name, origin.region}, {"not reached: " + origin.problem});
      continue;
    }
    const OutboxStatus& outbox = *origin.outbox;
    out += row({origin.name, origin.region},
               {std::to_string(outbox.head_seq.value), std::to_string(outbox.depth),
                std::to_string(outbox.unconfirmed), std::to_string(outbox.parked)});
  }
  out += "\n" + row({"REPLICA", "OF ORIGIN"}, {"APPLIED SEQ", "LAG CHANGES", "LAG SECONDS"});
  for (const RegionReport& region : report.regions) {
    if (!region.reached) out += row({region.name}, {"not reached: " + region.problem});
    for (const LagReport& lag : region.lags) {
      out +=
          row({region.name, lag.origin}, {std::to_string(lag.applied_seq),
                                          lag.lag_changes ? std::to_string(*lag.lag_changes) : "?",
                                          lag.lag_seconds ? tenths(*lag.lag_seconds) : "?"});
    }
    if (region.parked > 0) {
      out +=
          row({region.name}, {std::to_string(region.parked) +
                              " parked: see `tributary parked list --region " + region.name + "`"});
    }
  }
  if (report.converged) return out + "\nconverged: every region holds every change\n";
  return out +
         (any_parked(report) ? "\nnot converged: changes are parked\n" : "\nnot converged yet\n");
}

}  // namespace tributary::cli
