/// From Topology to YAML, for `topology show`.
#include <yaml-cpp/yaml.h>

#include "config/settings.h"
#include "config/topology.h"
#include "config/url.h"
#include "config/url_rules.h"

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

void emit_settings(YAML::Emitter& out, const Topology& topology) {
  std::string_view open;
  for (const Setting& setting : settings()) {
    if (setting.section != open) {
      if (!open.empty()) out << YAML::EndMap;
      open = setting.section;
      out << YAML::Key << std::string(open) << YAML::Value << YAML::BeginMap;
    }
    out << YAML::Key << std::string(setting.key) << YAML::Value << setting.get(topology);
  }
  out << YAML::EndMap;
}

/// Without what may be a secret in the parameters behind the ?.
std::string shown_database(const std::string& database) {
  auto url = parse_url(UrlKind::kDatabase, database);
  if (!url) return std::string(kHidden);
  if (url->query.empty()) return database;
  for (auto& [name, value] : url->query) value = shown_value(name, value);
  return url->without_password(true);
}

void emit_origin(YAML::Emitter& out, const Origin& origin) {
  out << YAML::Key << origin.name.value << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "region" << YAML::Value << origin.region.value;
  out << YAML::Key << "database" << YAML::Value << shown_database(origin.database);
  emit(out, origin.credentials);
  out << YAML::Key << "retention_seconds" << YAML::Value << origin.retention_seconds;
  if (origin.retired) out << YAML::Key << "retired" << YAML::Value << true;
  out << YAML::EndMap;
}

void emit_keyspaces(YAML::Emitter& out, const std::vector<Keyspace>& keyspaces) {
  out << YAML::Key << "keyspaces" << YAML::Value << YAML::BeginSeq;
  for (const Keyspace& keyspace : keyspaces) {
    out << YAML::Flow << YAML::BeginMap << YAML::Key << "pattern" << YAML::Value
        << YAML::DoubleQuoted << keyspace.pattern << YAML::Key << "type" << YAML::Value
        << keyspace.type << YAML::EndMap;
  }
  out << YAML::EndSeq;
}

void emit_metrics(YAML::Emitter& out, const MetricsPorts& metrics) {
  if (metrics.relay.empty() && metrics.consumer.empty()) return;
  out << YAML::Key << "metrics" << YAML::Value << YAML::BeginMap;
  if (!metrics.relay.empty()) out << YAML::Key << "relay" << YAML::Value << metrics.relay;
  if (!metrics.consumer.empty()) {
    out << YAML::Key << "consumer" << YAML::Value << metrics.consumer;
  }
  out << YAML::EndMap;
}

}  // namespace

std::string render(const Topology& topology) {
  YAML::Emitter out;
  out << YAML::BeginMap << YAML::Key << "version" << YAML::Value << 1;
  if (topology.allow_inline_passwords) {
    out << YAML::Key << "allow_inline_passwords" << YAML::Value << true;
  }
  out << YAML::Key << "regions" << YAML::Value << YAML::BeginMap;
  for (const Region& region : topology.regions) emit_region(out, region);
  out << YAML::EndMap << YAML::Key << "origins" << YAML::Value << YAML::BeginMap;
  for (const Origin& origin : topology.origins) emit_origin(out, origin);
  out << YAML::EndMap;
  emit_keyspaces(out, topology.schema.keyspaces);
  emit_settings(out, topology);
  out << YAML::Key << "logging" << YAML::Value << YAML::BeginMap;
  out << YAML::Key << "level" << YAML::Value << topology.logging.level;
  out << YAML::Key << "format" << YAML::Value << topology.logging.format << YAML::EndMap;
  emit_metrics(out, topology.metrics);
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

}  // namespace tributary::config
