#include "cli/wiring.h"

#include "base/percent.h"
#include "connectors/changelog/rabbitmq/changelog.h"
#include "connectors/outbox/postgres/outbox_store.h"
#include "connectors/outbox/postgres/producer_session.h"
#include "connectors/outbox/sqlite/outbox_store.h"
#include "connectors/outbox/sqlite/producer_session.h"
#include "connectors/replica/redis/replica_store.h"

namespace tributary::cli {
namespace {

bool is_sqlite(const config::Origin& origin) { return origin.database.starts_with("sqlite:"); }

/// The password is there, or none is asked for.
Result<void> check_secret(const config::Credentials& credentials) {
  if (credentials.problem.empty() || !config::password_now(credentials).empty()) return {};
  return fail(ErrorKind::kInvalid, credentials.problem);
}

/// What the connectors take: for SQLite the file's plain path behind sqlite://, for libpq the URL
/// with the credentials as parameters, percent-encoded.
std::string database_url(const config::Origin& origin) {
  const config::Credentials& credentials = origin.credentials;
  std::string url = origin.database;
  if (is_sqlite(origin)) return percent_decoded(url).value_or(url);
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    url += url.find('?') == std::string::npos ? "?" : "&";
    url.append(name).append("=").append(percent_encoded(value));
  };
  add("user", credentials.username);
  add("password", config::password_now(credentials));
  return url;
}

template <typename Named>
std::string names_of(const std::vector<Named>& all) {
  std::string names;
  for (const Named& each : all) names += (names.empty() ? "" : ", ") + each.name.value;
  return names;
}

template <typename Named>
Result<const Named*> find_named(const std::vector<Named>& all, const std::string& name,
                                const std::string& kind) {
  if (name.empty() && all.size() == 1) return &all.front();
  for (const Named& each : all) {
    if (each.name.value == name) return &each;
  }
  return fail(ErrorKind::kInvalid,
              (name.empty() ? "say which " + kind + " with --" + kind
                            : "the topology has no " + kind + " \"" + name + "\"") +
                  "; there are: " + names_of(all));
}

}  // namespace

OpenStore store_of(const config::Origin& origin) {
  return [origin]() -> Result<std::unique_ptr<OutboxStore>> {
    TRIBUTARY_TRY(check_secret(origin.credentials));
    const std::string url = database_url(origin);
    auto store = is_sqlite(origin) ? sqlite::open_outbox_store(url, origin.name)
                                   : postgres::open_outbox_store(url, origin.name);
    if (!store) return fail(store.error().in("origin " + origin.name.value));
    return store;
  };
}

OpenReplicaStore replica_of(const config::Region& region) {
  return [replica = region.replica, name = region.name]() -> Result<std::unique_ptr<ReplicaStore>> {
    TRIBUTARY_TRY(check_secret(replica.credentials));
    TRIBUTARY_ASSIGN(redis::Endpoint endpoint, redis::parse_url(replica.url));
    endpoint.username = replica.credentials.username;
    endpoint.password = config::password_now(replica.credentials);
    auto store = redis::open_replica_store(endpoint);
    if (!store) return fail(store.error().in("region " + name.value));
    return store;
  };
}

Result<std::unique_ptr<Changelog>> changelog_of(const config::Topology& topology,
                                                const config::Region& owner,
                                                const RegionName& viewer) {
  const config::Broker& broker = owner.broker;
  const rabbitmq::Endpoint endpoint{
      .url = config::broker_url(owner, viewer),
      .username = broker.credentials.username,
      .password = [credentials = broker.credentials] { return config::password_now(credentials); },
      .ca_file = broker.tls.ca_file,
      .cert_file = broker.tls.cert_file,
      .key_file = broker.tls.key_file,
      .max_age = std::chrono::hours{topology.changelog.max_age_hours},
      .max_bytes = static_cast<std::uint64_t>(topology.changelog.max_bytes),
      .segment_bytes = static_cast<std::uint64_t>(topology.changelog.segment_bytes)};
  auto changelog = rabbitmq::make_changelog(endpoint);
  if (!changelog) return fail(changelog.error().in("region " + owner.name.value));
  return changelog;
}

Result<std::unique_ptr<ProducerSession>> session_of(const config::Origin& origin) {
  TRIBUTARY_TRY(check_secret(origin.credentials));
  auto session = is_sqlite(origin) ? sqlite::open_producer_session(database_url(origin))
                                   : postgres::open_producer_session(database_url(origin));
  if (!session) return fail(session.error().in("origin " + origin.name.value));
  return session;
}

Result<void> apply_schema(const config::Topology& topology, const config::Origin& origin) {
  TRIBUTARY_TRY(check_secret(origin.credentials));
  const std::string url = database_url(origin);
  auto done = is_sqlite(origin) ? sqlite::apply_schema(url, origin.name, topology.schema)
                                : postgres::apply_schema(url, origin.name, topology.schema);
  if (!done) return fail(done.error().in("origin " + origin.name.value));
  return done;
}

Result<const config::Region*> find_region(const config::Topology& topology,
                                          const std::string& name) {
  return find_named(topology.regions, name, "region");
}

Result<const config::Origin*> find_origin(const config::Topology& topology,
                                          const std::string& name) {
  return find_named(topology.origins, name, "origin");
}

}  // namespace tributary::cli
