/// From YAML to Topology: which keys there are, and what must hold between them.
#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <set>

#include <tributary/config/topology.h>
#include <tributary/config/yaml_reader.h>

namespace tributary::config {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kLarge = std::int64_t{1} << 40;
constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> kFormats{"text", "json"};

class Parser {
 public:
  Loaded run(const YAML::Node& root) {
    Mapping top(root, "", mistakes_);
    std::int64_t version = 0;
    top.integer("version", version, 1, 1, true);
    regions(top);
    origins(top);
    keyspaces(top);
    limits(top);
    relay(top);
    consumer(top);
    rest(top);
    top.finish();
    check_references();
    Loaded loaded{std::move(topology_), std::move(mistakes_).sorted()};
    return loaded;
  }

 private:
  struct Reference {
    std::string region;
    std::string key;
    YAML::Mark mark;
  };

  bool name_is_legal(Mapping& parent, const std::string& name) {
    const bool legal =
        !name.empty() && name.size() <= 40 &&
        name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos;
    if (!legal) parent.mistake(name, "a name has 1 to 40 of a-z, 0-9, _ and -");
    return legal;
  }

  void url(Mapping& mapping, std::string_view key, std::string& out,
           std::initializer_list<std::string_view> schemes, bool required = true) {
    if (!mapping.text(key, out, required)) return;
    const bool known = std::any_of(schemes.begin(), schemes.end(), [&](std::string_view scheme) {
      return out.starts_with(scheme);
    });
    if (!known) {
      std::string list;
      for (const std::string_view scheme : schemes) {
        list.append(list.empty() ? "" : " or ").append(scheme);
      }
      mapping.mistake(key, "the URL must start with " + list +
                               (out.starts_with("rediss://")
                                    ? " (TLS to Redis is not supported; use a tunnel on loopback)"
                                    : ""));
      return;
    }
    const std::size_t host = out.find("://") + 3;
    const std::size_t at = out.find('@', host);
    const std::size_t colon = out.find(':', host);
    if (at != std::string::npos && colon < at) {
      mapping.mistake(key, "the URL holds a password; use password_env or password_file");
    }
  }

  void credentials(Mapping& mapping, Credentials& out) {
    mapping.text("username", out.username);
    const bool env = mapping.text("password_env", out.password_env);
    const bool file = mapping.text("password_file", out.password_file);
    if (env && file)
      mapping.mistake("password_file", "give password_env or password_file, not both");
  }

  /// A required mapping; reads as empty when it is missing, which is then the one mistake.
  Mapping section(Mapping& top, std::string_view key) {
    const YAML::Node node = top.take(key, true);
    return node.IsDefined() ? Mapping(node, std::string(key), mistakes_) : Mapping(mistakes_);
  }

  void regions(Mapping& top) {
    Mapping all = section(top, "regions");
    for (const std::string& name : all.take_names()) {
      Mapping mapping(all.take(name), all.path_of(name), mistakes_);
      Region region{.name = {name}, .broker = {}, .replica = {}};
      if (!name_is_legal(all, name)) continue;
      if (mapping.is_mapping()) {
        broker(mapping, region.broker);
        replica(mapping, region.replica);
      }
      mapping.finish();
      topology_.regions.push_back(std::move(region));
    }
    if (all.is_mapping() && topology_.regions.empty())
      top.mistake("regions", "name at least one region");
  }

  void broker(Mapping& region, Broker& out) {
    const YAML::Node node = region.take("broker", true);
    if (!node.IsDefined()) return;
    Mapping mapping(node, region.path_of("broker"), mistakes_);
    url(mapping, "url", out.url, {"amqp://", "amqps://"}, mapping.is_mapping());
    if (const YAML::Node from = mapping.take("url_from"); from.IsDefined()) {
      Mapping urls(from, mapping.path_of("url_from"), mistakes_);
      for (const std::string& viewer : urls.take_names()) {
        references_.push_back({viewer, urls.path_of(viewer), urls.mark_of(viewer)});
        url(urls, viewer, out.url_from[viewer], {"amqp://", "amqps://"});
      }
    }
    credentials(mapping, out.credentials);
    if (const YAML::Node tls = mapping.take("tls"); tls.IsDefined()) {
      Mapping files(tls, mapping.path_of("tls"), mistakes_);
      files.text("ca_file", out.tls.ca_file);
      files.text("cert_file", out.tls.cert_file);
      files.text("key_file", out.tls.key_file);
      files.finish();
    }
    mapping.finish();
  }

  void replica(Mapping& region, Replica& out) {
    const YAML::Node node = region.take("replica", true);
    if (!node.IsDefined()) return;
    Mapping mapping(node, region.path_of("replica"), mistakes_);
    url(mapping, "url", out.url, {"redis://"}, mapping.is_mapping());
    credentials(mapping, out.credentials);
    mapping.finish();
  }

  void origins(Mapping& top) {
    Mapping all = section(top, "origins");
    std::set<std::string> databases;
    for (const std::string& name : all.take_names()) {
      Mapping mapping(all.take(name), all.path_of(name), mistakes_);
      if (!name_is_legal(all, name)) continue;
      Origin origin{.name = {name}, .region = {}, .database = {}, .credentials = {}};
      const bool required = mapping.is_mapping();
      if (mapping.text("region", origin.region.value, required)) {
        references_.push_back(
            {origin.region.value, mapping.path_of("region"), mapping.mark_of("region")});
      }
      url(mapping, "database", origin.database, {"postgresql://", "postgres://", "sqlite:///"},
          required);
      if (!origin.database.empty() && !databases.insert(origin.database).second) {
        mapping.mistake("database", "another origin already uses this database");
      }
      credentials(mapping, origin.credentials);
      mapping.integer("retention_seconds", origin.retention_seconds, 0, 3650 * kDay);
      mapping.finish();
      topology_.origins.push_back(std::move(origin));
    }
    if (all.is_mapping() && topology_.origins.empty())
      top.mistake("origins", "name at least one origin");
  }

  void keyspaces(Mapping& top) {
    const YAML::Node list = top.take("keyspaces", true);
    if (!list.IsDefined()) return;
    if (!list.IsSequence())
      return top.mistake("keyspaces", "a list of {pattern, type} is expected here");
    std::set<std::string> patterns;
    std::size_t index = 0;
    for (const YAML::Node& node : list) {
      Mapping mapping(node, "keyspaces[" + std::to_string(index++) + "]", mistakes_);
      Keyspace keyspace;
      mapping.text("pattern", keyspace.pattern, true);
      if (mapping.text("type", keyspace.type, true)) check_type(mapping, keyspace.type);
      if (!keyspace.pattern.empty() && !patterns.insert(keyspace.pattern).second) {
        mapping.mistake("pattern", "this pattern already stands above; the first match wins");
      }
      mapping.finish();
      topology_.schema.keyspaces.push_back(std::move(keyspace));
    }
  }

  static void check_type(Mapping& mapping, const std::string& name) {
    if (crdt::find_type(name) != nullptr) return;
    std::vector<std::string> known;
    std::string list;
    for (const crdt::Type* type : crdt::types()) {
      known.emplace_back(type->name);
      list.append(list.empty() ? "" : ", ").append(type->name);
    }
    mapping.mistake("type", "there is no type \"" + name + "\"; the types are " + list +
                                did_you_mean(name, known));
  }

  /// An optional section of whole numbers.
  struct Number {
    std::string_view key;
    std::int64_t* out;
    std::int64_t least;
    std::int64_t most;
  };
  void numbers(Mapping& top, std::string_view section, std::initializer_list<Number> known) {
    const YAML::Node node = top.take(section);
    if (!node.IsDefined()) return;
    Mapping mapping(node, std::string(section), mistakes_);
    for (const Number& number : known) {
      mapping.integer(number.key, *number.out, number.least, number.most);
    }
    mapping.finish();
  }

  void limits(Mapping& top) {
    Limits& limits = topology_.schema.limits;
    auto key = static_cast<std::int64_t>(limits.key_bytes);
    auto value = static_cast<std::int64_t>(limits.value_bytes);
    auto changes = static_cast<std::int64_t>(limits.transaction_changes);
    auto bytes = static_cast<std::int64_t>(limits.transaction_bytes);
    numbers(top, "limits",
            {{"key_bytes", &key, 1, 65'536},
             {"value_bytes", &value, 1, 64 << 20},
             {"transaction_changes", &changes, 1, 10'000'000},
             {"transaction_bytes", &bytes, 1, 64 << 20}});
    limits = {static_cast<std::size_t>(key), static_cast<std::size_t>(value),
              static_cast<std::size_t>(changes), static_cast<std::size_t>(bytes)};
  }

  void relay(Mapping& top) {
    Relay& r = topology_.relay;
    numbers(top, "relay",
            {{"batch_changes", &r.batch_changes, 1, 1'000'000},
             {"batch_bytes", &r.batch_bytes, 1024, 64 << 20},
             {"unconfirmed_batches", &r.unconfirmed_batches, 1, 10'000},
             {"poll_min_ms", &r.poll_min_ms, 1, 60'000},
             {"poll_max_ms", &r.poll_max_ms, 1, 60'000},
             {"heartbeat_ms", &r.heartbeat_ms, 10, 3'600'000},
             {"context_refresh_ms", &r.context_refresh_ms, 1, 3'600'000},
             {"lease_retry_ms", &r.lease_retry_ms, 1, 3'600'000},
             {"backoff_first_ms", &r.backoff_first_ms, 1, 60'000},
             {"backoff_max_ms", &r.backoff_max_ms, 1, 3'600'000},
             {"drain_ms", &r.drain_ms, 0, 3'600'000}});
  }

  void consumer(Mapping& top) {
    Consumer& c = topology_.consumer;
    numbers(top, "consumer",
            {{"group_deltas", &c.group_deltas, 1, 1'000'000},
             {"queue_batches", &c.queue_batches, 1, 10'000},
             {"queue_bytes", &c.queue_bytes, 1024, kLarge},
             {"gap_retry_ms", &c.gap_retry_ms, 1, 3'600'000},
             {"prune_ms", &c.prune_ms, 1, 3'600'000},
             {"backoff_first_ms", &c.backoff_first_ms, 1, 60'000},
             {"backoff_max_ms", &c.backoff_max_ms, 1, 3'600'000}});
  }

  void rest(Mapping& top) {
    ChangelogOptions& changelog = topology_.changelog;
    numbers(top, "changelog",
            {{"max_age_hours", &changelog.max_age_hours, 0, 24 * 3650},
             {"max_bytes", &changelog.max_bytes, 0, kLarge * 1024},
             {"segment_bytes", &changelog.segment_bytes, 1 << 20, 3'000'000'000}});
    numbers(top, "clock", {{"max_skew_ms", &topology_.clock.max_skew_ms, 0, 3'600'000}});
    if (const YAML::Node node = top.take("logging"); node.IsDefined()) {
      Mapping mapping(node, "logging", mistakes_);
      mapping.choice("level", topology_.logging.level, kLevels);
      mapping.choice("format", topology_.logging.format, kFormats);
      mapping.finish();
    }
    if (const YAML::Node node = top.take("metrics"); node.IsDefined()) {
      Mapping mapping(node, "metrics", mistakes_);
      mapping.text("relay", topology_.metrics.relay);
      mapping.text("consumer", topology_.metrics.consumer);
      mapping.finish();
    }
  }

  void check_references() {
    std::vector<std::string> known;
    for (const Region& region : topology_.regions) known.push_back(region.name.value);
    for (const Reference& reference : references_) {
      if (topology_.region({reference.region}) != nullptr) continue;
      mistakes_.add(reference.mark, reference.key,
                    "no region is named \"" + reference.region + "\"" +
                        did_you_mean(reference.region, known));
    }
  }

  Topology topology_;
  Mistakes mistakes_;
  std::vector<Reference> references_;
};

}  // namespace

Loaded parse_topology(const std::string& yaml) {
  try {
    return Parser().run(YAML::Load(yaml));
  } catch (const YAML::Exception& error) {
    return {{}, {{error.mark.is_null() ? 0 : error.mark.line + 1, "", "not YAML: " + error.msg}}};
  }
}

}  // namespace tributary::config
