/// Prints how many single-field keys a second one store can load and commit on the server at
/// TRIBUTARY_TEST_REDIS_URL, whose database it fills, and the processor time that a commit takes on
/// both sides: on a busy machine that is the steadier number.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "connectors/replica/redis/connection.h"
#include "connectors/replica/redis/replica_store.h"
#include "tests/conformance/replica_store/draft.h"

namespace {

using namespace tributary;
using Clock = std::chrono::steady_clock;

constexpr double kSeconds = 2;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double own_cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// What the server's INFO says, in seconds.
Result<double> server_cpu_seconds(redis::Connection& connection) {
  TRIBUTARY_ASSIGN(const redis::Reply reply, connection.call({"INFO", "cpu"}));
  const std::string info(redis::text(*reply));
  double sum = 0;
  for (const std::string name : {"used_cpu_sys:", "used_cpu_user:"}) {
    sum += std::atof(info.c_str() + info.find(name) + name.size());
  }
  return sum;
}

struct Spent {
  std::string token;
  double loading = 0;
  double committing = 0;
  double own_cpu = 0;
  double server_cpu = 0;
};

Result<void> load_and_commit(ReplicaStore& store, redis::Connection& server,
                             const std::vector<KeyLoad>& loads, std::size_t round, Spent& spent) {
  auto start = Clock::now();
  TRIBUTARY_ASSIGN(auto loaded, store.load(loads));
  spent.loading += seconds_since(start);
  const crdt::ViewEdits edits{crdt::SetString{std::to_string(12345 + round)}};
  std::vector<KeyCommit> keys;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    LoadedKey& key = loaded[i];
    key.state.set("t", "totals " + std::to_string(round));
    keys.push_back({loads[i].key, &replica_tests::type_of(crdt::ViewKind::kString), key.version,
                    &key.state, &edits});
  }
  TRIBUTARY_ASSIGN(const double server_before, server_cpu_seconds(server));
  const double own_before = own_cpu_seconds();
  start = Clock::now();
  TRIBUTARY_ASSIGN(spent.token, store.commit(ReplicaCommit{.expected_token = spent.token,
                                                           .advances = {},
                                                           .keys = keys,
                                                           .progress = {},
                                                           .parked = {},
                                                           .unparked = {},
                                                           .hlc = {}}));
  spent.committing += seconds_since(start);
  spent.own_cpu += own_cpu_seconds() - own_before;
  TRIBUTARY_ASSIGN(const double server_after, server_cpu_seconds(server));
  spent.server_cpu += server_after - server_before;
  return {};
}

Result<void> measure(ReplicaStore& store, redis::Connection& server, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back("stock:" + std::to_string(i));
  std::vector<KeyLoad> loads;
  for (const std::string& name : names) loads.push_back({name, {false, {"t"}}});
  Spent spent;
  TRIBUTARY_ASSIGN(spent.token, store.token());
  std::size_t rounds = 0;
  while (spent.loading + spent.committing < kSeconds) {
    TRIBUTARY_TRY(load_and_commit(store, server, loads, rounds++, spent));
  }
  const auto keys = static_cast<double>(rounds * count);
  std::printf(
      "%6zu keys a call: load %8.0f keys/s, commit %8.0f keys/s (processor time a key: "
      "store %.2f us, server %.2f us)\n",
      count, keys / spent.loading, keys / spent.committing, spent.own_cpu * 1e6 / keys,
      spent.server_cpu * 1e6 / keys);
  return {};
}

Result<void> measure_all(const char* url) {
  TRIBUTARY_ASSIGN(const auto endpoint, redis::parse_url(url));
  TRIBUTARY_ASSIGN(const auto store, redis::open_replica_store(endpoint));
  TRIBUTARY_ASSIGN(const auto server, redis::Connection::open(endpoint));
  for (const std::size_t count : {100U, 1000U, 5000U}) {
    TRIBUTARY_TRY(measure(*store, *server, count));
  }
  return {};
}

}  // namespace

int main() {
  const char* url = std::getenv("TRIBUTARY_TEST_REDIS_URL");
  if (url == nullptr) {
    std::fprintf(stderr, "set TRIBUTARY_TEST_REDIS_URL\n");
    return 2;
  }
  const auto done = measure_all(url);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
