/// From Topology to YAML, for `topology show`.
#include <yaml-cpp/yaml.h>

#include <tributary/config/topology.h>

namespace tributary::config {
namespace {

void emit(YAML::Emitter& out, const Credentials& credentials) {
  if (!credentials.username.empty())
    out << YAML::Key << "username" << YAML::Value << credentials.username;
  if (!credentials.password_env.empty()) {
    out << YAML::Key << "password_env" << YAML::Value << credentials.password_env;
  }
  if (!credentials.password_file.empty()) {
    out << YAML::Key << "password_file" << YAML::Value << credentials.password_file;
  }
}

void emit_tls(YAML::Emitter& out, const Tls& tls) {
  if (tls.ca_file.empty() && tls.cert_file.empty() && tls.key_file.empty()) return;
  out << YAML::Key << "tls" << YAML::Value << YAML::BeginMap;
  if (!tls.ca_file.empty()) out << YAML::Key << "ca_file" << YAML::Value << tls.ca_file;
  if (!tls.cert_file.empty()) out << YAML::Key << "cert_file" << YAML::Value << tls.cert_file;
  if (!tls.key_file.empty()) out << YAML::Key << "key_file" << YAML::Value << tls.key_file;
  out << YAML::EndMap;
}

void emit_region(YAML::Emitter& out, const Region& region) {
  out << YAML::Key << region.name.value << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "broker" << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "url" << YAML::Value << region.broker.url;
  if (!region.broker.url_from.empty()) {
    out << YAML::Key << "url_from" << YAML::Value << region.broker.url_from;
  }
  emit(out, region.broker.credentials);
  emit_tls(out, region.broker.tls);
  out << YAML::EndMap;
  out << YAML::Key << "replica" << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "url" << YAML::Value << region.replica.url;
  emit(out, region.replica.credentials);
  out << YAML::EndMap << YAML::EndMap;
}

using Numbers = std::initializer_list<std::pair<const char*, std::int64_t>>;

void emit_section(YAML::Emitter& out, const char* section, Numbers numbers) {
  out << YAML::Key << section << YAML::Value << YAML::BeginMap;
  for (const auto& [key, value] : numbers) out << YAML::Key << key << YAML::Value << value;
  out << YAML::EndMap;
}

void emit_settings(YAML::Emitter& out, const Topology& t) {
  const Limits& limits = t.schema.limits;
  emit_section(out, "limits",
               {{"key_bytes", static_cast<std::int64_t>(limits.key_bytes)},
                {"value_bytes", static_cast<std::int64_t>(limits.value_bytes)},
                {"transaction_changes", static_cast<std::int64_t>(limits.transaction_changes)},
                {"transaction_bytes", static_cast<std::int64_t>(limits.transaction_bytes)}});
  emit_section(out, "relay",
               {{"batch_changes", t.relay.batch_changes},
                {"batch_bytes", t.relay.batch_bytes},
                {"unconfirmed_batches", t.relay.unconfirmed_batches},
                {"poll_min_ms", t.relay.poll_min_ms},
                {"poll_max_ms", t.relay.poll_max_ms},
                {"heartbeat_ms", t.relay.heartbeat_ms},
                {"context_refresh_ms", t.relay.context_refresh_ms},
                {"lease_retry_ms", t.relay.lease_retry_ms},
                {"backoff_first_ms", t.relay.backoff_first_ms},
                {"backoff_max_ms", t.relay.backoff_max_ms},
                {"drain_ms", t.relay.drain_ms}});
  emit_section(out, "consumer",
               {{"group_deltas", t.consumer.group_deltas},
                {"queue_batches", t.consumer.queue_batches},
                {"queue_bytes", t.consumer.queue_bytes},
                {"gap_retry_ms", t.consumer.gap_retry_ms},
                {"prune_ms", t.consumer.prune_ms},
                {"backoff_first_ms", t.consumer.backoff_first_ms},
                {"backoff_max_ms", t.consumer.backoff_max_ms}});
  emit_section(out, "changelog",
               {{"max_age_hours", t.changelog.max_age_hours},
                {"max_bytes", t.changelog.max_bytes},
                {"segment_bytes", t.changelog.segment_bytes}});
  emit_section(out, "clock", {{"max_skew_ms", t.clock.max_skew_ms}});
}

}  // namespace

std::string render(const Topology& topology) {
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "version" << YAML::Value << 1;
  out << YAML::Key << "regions" << YAML::Value << YAML::BeginMap;
  for (const Region& region : topology.regions) emit_region(out, region);
  out << YAML::EndMap << YAML::Key << "origins" << YAML::Value << YAML::BeginMap;
  for (const Origin& origin : topology.origins) {
    out << YAML::Key << origin.name.value << YAML::Value << YAML::BeginMap;
    out << YAML::Key << "region" << YAML::Value << origin.region.value;
    out << YAML::Key << "database" << YAML::Value << origin.database;
    emit(out, origin.credentials);
    out << YAML::Key << "retention_seconds" << YAML::Value << origin.retention_seconds;
    out << YAML::EndMap;
  }
  out << YAML::EndMap << YAML::Key << "keyspaces" << YAML::Value << YAML::BeginSeq;
  for (const Keyspace& keyspace : topology.schema.keyspaces) {
    out << YAML::Flow << YAML::BeginMap << YAML::Key << "pattern" << YAML::Value
        << YAML::DoubleQuoted << keyspace.pattern << YAML::Key << "type" << YAML::Value
        << keyspace.type << YAML::EndMap;
  }
  out << YAML::EndSeq;
  emit_settings(out, topology);
  out << YAML::Key << "logging" << YAML::Value << YAML::BeginMap << YAML::Key << "level"
      << YAML::Value << topology.logging.level << YAML::Key << "format" << YAML::Value
      << topology.logging.format << YAML::EndMap;
  if (!topology.metrics.relay.empty() || !topology.metrics.consumer.empty()) {
    out << YAML::Key << "metrics" << YAML::Value << YAML::BeginMap;
    if (!topology.metrics.relay.empty()) {
      out << YAML::Key << "relay" << YAML::Value << topology.metrics.relay;
    }
    if (!topology.metrics.consumer.empty()) {
      out << YAML::Key << "consumer" << YAML::Value << topology.metrics.consumer;
    }
    out << YAML::EndMap;
  }
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace tributary::config
