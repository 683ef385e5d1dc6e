#include "connectors/replica/redis/server.h"

#include <charconv>

#include "connectors/replica/redis/layout.h"
#include "connectors/replica/redis/permissions.h"
#include "connectors/replica/redis/probe.lua.h"

namespace tributary::redis {
namespace {

constexpr std::string_view kProbeKey = "tributary:probe";

/// The text behind "\n<name>:" in the answer to INFO; empty when there is none.
std::string_view info(std::string_view all, std::string_view name) {
  const std::string wanted = std::string("\n").append(name).append(":");
  const auto found = all.find(wanted);
  if (found == std::string_view::npos) return {};
  all.remove_prefix(found + wanted.size());
  return all.substr(0, all.find('\r'));
}

std::string about_eviction(std::string_view policy, bool limited) {
  std::string what = "maxmemory-policy is " + std::string(policy) + ": ";
  if (policy.starts_with("volatile-")) {
    return what + "views that somebody gives a time to live are evicted";
  }
  what.append(limited ? "Redis evicts" : "once maxmemory is set, Redis will evict");
  return what + " views and states, which are missing until they are rebuilt";
}

}  // namespace

Result<void> probe_commands(Connection& connection) {
  // EVALSHA is what the commits use, EVAL what the rest uses.
  TRIBUTARY_ASSIGN(const Reply script, connection.call({"SCRIPT", "LOAD", embedded::kProbeLua}));
  TRIBUTARY_TRY(connection.call({"EVAL", "return 1", "0"}));
  auto probed = connection.call({"EVALSHA", text(*script), "1", kProbeKey});
  if (!probed && denied(probed.error())) TRIBUTARY_TRY(probe_own_keys(connection));
  TRIBUTARY_ASSIGN(const Reply refused, std::move(probed));
  if (size(*refused) == 0) return probe_own_keys(connection);
  std::string grants;
  for (std::size_t i = 0; i < size(*refused); ++i) {
    std::string name(text(at(*refused, i)));
    for (char& letter : name) letter = static_cast<char>(std::tolower(letter));
    grants.append(" +").append(name);
  }
  return fail(ErrorKind::kFatal,
              connection.where() +
                  "the user may not run all commands that a commit needs; grant (ACL SETUSER):" +
                  grants + " (docs/operations.md has the whole list)");
}

Result<std::vector<std::string>> read_warnings(Connection& connection) {
  std::vector<std::string> warnings;
  connection.queue({"INFO"});
  TRIBUTARY_TRY(connection.send());
  TRIBUTARY_ASSIGN(const Reply reply, connection.receive({"NOPERM"}));
  if (is_error(*reply)) {
    warnings.emplace_back(
        "the user may not run INFO (grant +info), so nobody knows whether this server evicts keys");
    return warnings;
  }
  const std::string_view all = text(*reply);
  const std::string_view policy = info(all, "maxmemory_policy");
  if (!policy.empty() && policy != "noeviction") {
    warnings.push_back(about_eviction(policy, info(all, "maxmemory") != "0") +
                       "; set maxmemory-policy noeviction");
  }
  const std::string_view evicted = info(all, "evicted_keys");
  if (!evicted.empty() && evicted != "0") {
    warnings.push_back("it has evicted " + std::string(evicted) +
                       " keys since it was started: one of which both view and state went is "
                       "missing, and nobody can tell which. To be certain, copy another region's "
                       "replica over this one (docs/operations.md, \"A new or empty replica\")");
  }
  const std::string_view version = info(all, "redis_version");
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  if (major < 7) {
    warnings.push_back("this is Redis " + std::string(version) +
                       "; Tributary is tested with Redis 7");
  }
  if (info(all, "role") == "slave") {
    warnings.emplace_back(
        "this is a read-only copy of another Redis; the URL must lead to the master");
  }
  if (info(all, "cluster_enabled") == "1") {
    warnings.emplace_back(
        "this is a Redis Cluster, which is not supported: commits will be refused");
  }
  return warnings;
}

}  // namespace tributary::redis
