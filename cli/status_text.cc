#include "cli/status_text.h"

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tributary::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kReasonsShown = 3;

/// Bytes of unknown origin as a JSON text.
Json text(const std::string& bytes) { return Json::parse(json_string(bytes)); }

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::optional<double> oldest_seconds(const OutboxStatus& outbox, Micros now) {
  if (outbox.depth == 0 || outbox.oldest <= Micros{0}) return std::nullopt;
  return std::max(0.0, static_cast<double>((now - outbox.oldest).count()) / 1e6);
}

Json json_of(const OriginFacts& origin, Micros now) {
  Json json{{"name", origin.name}, {"region", origin.region}, {"retired", origin.retired}};
  if (origin.retired) return json;
  if (origin.outbox) {
    const OutboxStatus& outbox = *origin.outbox;
    json["actor"] = outbox.actor ? Json(outbox.actor->hex()) : Json(nullptr);
    json["head_seq"] = outbox.head_seq.value;
    json["confirmed_seq"] = outbox.confirmed_seq.value;
    json["outbox_depth"] = outbox.depth;
    json["oldest_seconds"] = or_null(oldest_seconds(outbox, now));
    json["unconfirmed"] = outbox.unconfirmed;
    json["parked"] = outbox.parked;
    json["former"] = Json::array();
    for (const FormerActor& former : outbox.former) {
      json["former"].push_back(
          {{"actor", former.actor.hex()}, {"final_seq", former.final_seq.value}});
    }
  } else {
    json["problem"] = text(origin.problem);
  }
  if (!origin.stream_problem.empty()) json["stream_problem"] = text(origin.stream_problem);
  return json;
}

Json json_of(const Lag& lag) {
  Json missing = Json::object();
  for (const auto& [actor, count] : lag.missing) missing[actor.hex()] = count;
  return {{"origin", text(lag.origin)},
          {"in_topology", lag.in_topology},
          {"applied_seq", lag.applied_seq},
          {"lag_changes", or_null(lag.lag_changes)},
          {"lag_seconds", or_null(lag.lag_seconds)},
          {"missing", missing}};
}

Json json_of(const RegionFacts& region, const std::vector<Lag>& lags) {
  Json json{{"name", region.name}};
  if (region.replica) json["parked"] = region.replica->parked;
  else json["problem"] = text(region.problem);
  json["origins"] = Json::array();
  for (const Lag& lag : lags) json["origins"].push_back(json_of(lag));
  return json;
}

Json texts(const std::vector<std::string>& all) {
  Json json = Json::array();
  for (const std::string& each : all) json.push_back(text(each));
  return json;
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

std::string tenths(const std::optional<double>& seconds) {
  if (!seconds) return "?";
  char text[64];
  std::snprintf(text, sizeof(text), "%.1f", *seconds);
  return text;
}

std::string table_row(const OriginFacts& origin, Micros now) {
  if (origin.retired) return row({origin.name, origin.region}, {"retired"});
  if (!origin.outbox) {
    return row({origin.name, origin.region}, {origin.refused ? "refused" : "not reached"});
  }
  const OutboxStatus& outbox = *origin.outbox;
  const auto oldest = oldest_seconds(outbox, now);
  return row(
      {origin.name, origin.region},
      {std::to_string(outbox.head_seq.value), counted(outbox.depth), oldest ? tenths(oldest) : "-",
       std::to_string(outbox.unconfirmed), counted(outbox.parked)});
}

std::string table_rows(const RegionFacts& region, const std::vector<Lag>& lags) {
  if (!region.replica) return row({region.name}, {region.refused ? "refused" : "not reached"});
  std::string out;
  for (const Lag& lag : lags) {
    const std::string name = lag.origin.empty() ? "(nobody knows)" : printable(lag.origin);
    out += row({region.name, name},
               {std::to_string(lag.applied_seq),
                lag.lag_changes ? std::to_string(*lag.lag_changes) : "?", tenths(lag.lag_seconds)});
  }
  if (region.replica->parked > 0) {
    out +=
        row({region.name}, {std::to_string(region.replica->parked) +
                            " parked: see `tributary parked list --region " + region.name + "`"});
  }
  return out;
}

}  // namespace

std::string to_json(const StatusReport& report) {
  Json origins = Json::array();
  Json regions = Json::array();
  for (const OriginFacts& origin : report.facts.origins) {
    origins.push_back(json_of(origin, report.facts.now));
  }
  for (std::size_t i = 0; i < report.facts.regions.size(); ++i) {
    regions.push_back(json_of(report.facts.regions[i], report.lags[i]));
  }
  return Json{{"converged", report.converged()},
              {"all_reached", report.all_reached},
              {"reasons", texts(report.reasons)},
              {"warnings", texts(report.warnings)},
              {"origins", origins},
              {"regions", regions}}
      .dump(2);
}

std::string to_table(const StatusReport& report) {
  std::string out =
      row({"ORIGIN", "REGION"}, {"HEAD SEQ", "OUTBOX", "OLDEST (S)", "UNCONFIRMED", "PARKED"});
  for (const OriginFacts& origin : report.facts.origins) {
    out += table_row(origin, report.facts.now);
  }
  out += "\n" + row({"REPLICA", "OF ORIGIN"}, {"APPLIED SEQ", "LAG CHANGES", "LAG SECONDS"});
  for (std::size_t i = 0; i < report.facts.regions.size(); ++i) {
    out += table_rows(report.facts.regions[i], report.lags[i]);
  }
  out += "\n";
  for (const std::string& warning : report.warnings) out += "warning: " + warning + "\n";
  if (report.converged()) return out + "converged: every region holds every change\n";
  if (report.reasons.size() == 1) return out + "not converged: " + report.reasons.front() + "\n";
  out += "not converged, for " + std::to_string(report.reasons.size()) + " reasons:\n";
  for (std::size_t i = 0; i < std::min(report.reasons.size(), kReasonsShown); ++i) {
    out += "  - " + report.reasons[i] + "\n";
  }
  if (report.reasons.size() > kReasonsShown) {
    out += "  - and " + std::to_string(report.reasons.size() - kReasonsShown) +
           " more: `tributary status --json` shows all\n";
  }
  return out;
}

}  // namespace tributary::cli
