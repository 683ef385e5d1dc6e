#include <atomic>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include <tributary/connectors/memory/changelog.h>
#include <tributary/connectors/memory/outbox_store.h>
#include <tributary/connectors/memory/replica_store.h>
#include <tributary/relay/relay_runner.h>
#include <tributary/tests/unit/gauge_value.h>

using namespace tributary;

namespace {

constexpr std::chrono::seconds kPatience{10};

/// Relays of two origins, in threads, as the daemon runs them.
struct TwoRelays {
  SystemClock clock;
  Metrics metrics;
  Schema schema{{{"stock:*", "counter"}}, {}};
  memory::MemoryBroker broker;
  MemoryReplica replica;
  memory::MemoryOutbox shop{OriginName{"shop"}, schema, clock};
  memory::MemoryOutbox till{OriginName{"till"}, schema, clock};
  std::unique_ptr<Changelog> shops = broker.session("shop relay");
  std::unique_ptr<Changelog> tills = broker.session("till relay");
  std::atomic<bool> till_is_gone{false};
  std::vector<RelayedOrigin> origins;
  std::stop_source stop;
  std::jthread running;

  TwoRelays() {
    origins.push_back(relayed("shop", shop, *shops));
    origins.push_back(relayed("till", till, *tills));
    origins[1].open_store = [this]() -> Result<std::unique_ptr<OutboxStore>> {
      if (till_is_gone) return fail(ErrorKind::kFatal, "there is no such database");
      return till.open_store();
    };
  }
  ~TwoRelays() { stop.request_stop(); }

  RelayedOrigin relayed(const char* name, memory::MemoryOutbox& outbox, Changelog& changelog) {
    return {.name = OriginName{name},
            .region = RegionName{"eu"},
            .open_store = [&outbox]() -> Result<std::unique_ptr<OutboxStore>> {
              return outbox.open_store();
            },
            .open_replica = [this] { return replica.open(); },
            .changelog = &changelog,
            .settings = {.heartbeat = Millis{20}, .heartbeat_max = Millis{40}}};
  }
  void run() {
    running = std::jthread([this] {
      auto ignored = run_relays(origins, Millis{100}, clock, metrics, stop.get_token());
      static_cast<void>(ignored);  // an outcome would show as an origin that does not go on
    });
  }
  template <typename Condition>
  bool soon(const Condition& condition) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (std::chrono::steady_clock::now() < until) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  bool goes_on(const char* origin) {
    const auto before = broker.messages(OriginName{origin}).size();
    return soon([&] { return broker.messages(OriginName{origin}).size() > before + 2; });
  }
  double gauge(const std::string& name, const char* origin) {
    return gauge_value(metrics, name, origin).value_or(-1);
  }
};

}  // namespace

TEST_CASE("an origin whose database is gone does not stop the others, and comes back by itself") {
  TwoRelays relays;
  relays.till_is_gone = true;
  relays.run();
  CHECK(relays.soon([&] { return relays.gauge("tributary_relay_failed", "till") == 1; }));
  CHECK(relays.goes_on("shop"));
  CHECK(relays.gauge("tributary_relay_failed", "shop") == 0);
  CHECK(relays.gauge("tributary_relay_database_connected", "shop") == 1);
  CHECK(relays.gauge("tributary_relay_database_connected", "till") == 0);
  CHECK(relays.gauge("tributary_relay_replica_connected", "shop") == 1);

  relays.till_is_gone = false;
  CHECK(relays.goes_on("till"));
  CHECK(relays.soon([&] { return relays.gauge("tributary_relay_failed", "till") == 0; }));
  CHECK(relays.gauge("tributary_relay_database_connected", "till") == 1);
}

TEST_CASE("a database that is dropped while its relay leads stops that origin only") {
  TwoRelays relays;
  relays.run();
  CHECK(relays.goes_on("till"));
  relays.till_is_gone = true;
  relays.till.disconnect_all();
  CHECK(relays.soon([&] { return relays.gauge("tributary_relay_failed", "till") == 1; }));
  CHECK(relays.goes_on("shop"));
}

TEST_CASE("a changelog that may not be used stops its origin only, and is tried again") {
  TwoRelays relays;
  relays.broker.refuse("till relay", OriginName{"till"}, true);
  relays.run();
  CHECK(relays.soon([&] { return relays.gauge("tributary_relay_failed", "till") == 1; }));
  CHECK(relays.goes_on("shop"));
  relays.broker.refuse("till relay", OriginName{"till"}, false);
  CHECK(relays.goes_on("till"));
}
