/// From YAML to Topology: the sections of the file. Regions and origins are in places.cc.
#include <optional>
#include <set>
#include <utility>

#include "config/listen_address.h"
#include "config/pattern.h"
#include "config/places.h"
#include "config/reader.h"
#include "config/settings.h"
#include "config/topology.h"

namespace tributary::config {
namespace {

void parse_version(Mapping& top) {
  std::string version;
  if (top.text("version", version, true) && version != "1") {
    top.mistake("version", "this program reads version 1, not " + shown(version));
  }
}

void check_type(Mapping& mapping, const std::string& name) {
  if (crdt::find_type(name) != nullptr) return;
  std::vector<std::string> known;
  for (const crdt::Type* type : crdt::types()) known.emplace_back(type->name);
  mapping.mistake("type", "there is no type " + shown(name) + "; the types are " + listed(known) +
                              did_you_mean(name, known));
}

/// Finds the patterns that can never match, in the order of the file.
class Patterns {
 public:
  void check(Mapping& mapping, const std::string& pattern) {
    const int line = mapping.place_of("pattern").line;
    if (shadows("tributary:*", pattern)) {
      mapping.mistake("pattern",
                      "keys that start with tributary: hold Tributary's own state; "
                      "choose another prefix");
      return;
    }
    for (const Earlier& earlier : earlier_) {
      if (!shadows(earlier.pattern, pattern)) continue;
      const std::string where =
          "\"" + earlier.pattern + "\" in line " + std::to_string(earlier.line);
      mapping.mistake(
          "pattern",
          earlier.pattern == pattern
              ? "this pattern stands already in line " + std::to_string(earlier.line)
              : "this can never match: " + where + " takes all its keys; put this above");
      return;
    }
    earlier_.push_back({pattern, line});
  }

 private:
  struct Earlier {
    std::string pattern;
    int line;
  };
  std::vector<Earlier> earlier_;
};

void parse_keyspaces(Mapping& top, Schema& schema) {
  const YamlEntry* list = top.take("keyspaces", true);
  if (list == nullptr) return;
  if (list->value.kind != YamlNode::Kind::kList || list->value.entries.empty()) {
    top.mistake("keyspaces", "a list of {pattern, type} is expected here, with one at least");
    return;
  }
  Patterns patterns;
  std::size_t index = 0;
  for (const YamlEntry& entry : list->value.entries) {
    Mapping mapping(entry, "keyspaces[" + std::to_string(index++) + "]", top.mistakes());
    Keyspace keyspace;
    if (mapping.text("pattern", keyspace.pattern, true)) patterns.check(mapping, keyspace.pattern);
    if (mapping.text("type", keyspace.type, true)) check_type(mapping, keyspace.type);
    mapping.finish();
    schema.keyspaces.push_back(std::move(keyspace));
  }
}

/// The sections that hold nothing but whole numbers; all may be absent.
class NumberSections {
 public:
  NumberSections(Mapping& top, Topology& topology) : top_(top), topology_(topology) {}

  void run() {
    for (auto rest = settings(); !rest.empty();) {
      const std::string_view section = rest.front().section;
      std::size_t size = 0;
      while (size < rest.size() && rest[size].section == section) ++size;
      parse(section, rest.first(size));
      rest = rest.subspan(size);
    }
  }

 private:
  void parse(std::string_view section, std::span<const Setting> known) {
    Mapping mapping(top_, section);
    std::set<std::string_view> wrong;
    for (const Setting& setting : known) {
      std::int64_t value = setting.get(topology_);
      const bool taken = mapping.integer(setting.key, value, setting.least, setting.most);
      if (taken) setting.set(topology_, value);
      if (!taken && mapping.has(setting.key)) wrong.insert(setting.key);
    }
    for (const OrderedPair& pair : ordered_settings()) {
      if (pair.section != section || wrong.contains(pair.smaller) || wrong.contains(pair.larger)) {
        continue;
      }
      check_order(mapping, pair);
    }
    if (section == "limits" && wrong.empty()) check_change_size(mapping);
    mapping.finish();
  }

  void check_order(Mapping& mapping, const OrderedPair& pair) const {
    const std::int64_t smaller = find_setting(pair.section, pair.smaller)->get(topology_);
    const std::int64_t larger = find_setting(pair.section, pair.larger)->get(topology_);
    if (smaller <= larger) return;
    const auto named = [](std::string_view key, std::int64_t value) {
      return std::string(key) + ", which is " + std::to_string(value);
    };
    if (mapping.has(pair.smaller)) {
      mapping.mistake(pair.smaller, "this must not be above " + named(pair.larger, larger));
    } else {
      mapping.mistake(pair.larger, "this must not be below " + named(pair.smaller, smaller));
    }
  }

  /// Together, because one batch has to carry both.
  void check_change_size(Mapping& mapping) const {
    const Limits& limits = topology_.schema.limits;
    if (limits.key_bytes + limits.value_bytes <= kMaxChangeBytes) return;
    mapping.mistake(mapping.has("value_bytes") ? "value_bytes" : "key_bytes",
                    "key_bytes and value_bytes together must not be above " +
                        std::to_string(kMaxChangeBytes) + ", what one batch can carry; they are " +
                        std::to_string(limits.key_bytes + limits.value_bytes));
  }

  Mapping& top_;
  Topology& topology_;
};

void parse_logging(Mapping& top, Logging& out) {
  Mapping mapping(top, "logging");
  mapping.choice("level", out.level, {"debug", "info", "warn", "error"});
  mapping.choice("format", out.format, {"text", "json"});
  mapping.finish();
}

/// One address for both is right where each daemon has a machine or a container of its own.
void parse_metrics(Mapping& top, MetricsPorts& out, std::vector<Mistake>& warnings) {
  Mapping mapping(top, "metrics");
  const auto address = [&](std::string_view key, std::string& to) {
    if (!mapping.text(key, to)) return false;
    const std::string wrong = wrong_with_listen_address(to);
    if (!wrong.empty()) mapping.mistake(key, wrong);
    return wrong.empty();
  };
  const bool relay = address("relay", out.relay);
  const bool consumer = address("consumer", out.consumer);
  mapping.finish();
  if (!relay || !consumer || !listen_addresses_collide(out.relay, out.consumer)) return;
  const Place place = mapping.place_of("consumer");
  warnings.push_back({place.line, place.column, mapping.path_of("consumer"),
                      "warning: relay has this address, too; on one host only one of them can "
                      "serve metrics, so choose another port"});
}

}  // namespace

LoadedTopology parse_topology(const std::string& yaml) {
  const auto root = read_yaml(yaml);
  if (!root) return {{}, {root.error()}, {}};
  Mistakes mistakes;
  Topology topology;
  Mapping top(*root, "", mistakes);
  parse_version(top);
  top.flag("allow_inline_passwords", topology.allow_inline_passwords);
  parse_places(top, topology);
  parse_keyspaces(top, topology.schema);
  NumberSections(top, topology).run();
  parse_logging(top, topology.logging);
  std::vector<Mistake> warnings;
  parse_metrics(top, topology.metrics, warnings);
  top.finish();
  return {std::move(topology), std::move(mistakes).sorted(), std::move(warnings)};
}

}  // namespace tributary::config
