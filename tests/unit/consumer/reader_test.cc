#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include <doctest/doctest.h>

#include "connectors/changelog/memory/changelog.h"
#include "connectors/replica/memory/replica_store.h"
#include "consumer/origin_reader.h"
#include "consumer/region_consumer.h"
#include "outbox/batch/batch.h"
#include "tests/unit/gauge_value.h"
#include "tests/unit/standing_clock.h"

using namespace tributary;

namespace {

const OriginName kShop{"shop"};
const OriginName kTill{"till"};

std::string heartbeat_of(const OriginName& origin, std::uint64_t hlc) {
  return encode(Batch{.actor = ActorId{origin == kShop ? 1U : 2U},
                      .origin = origin,
                      .first_seq = Seq{1},
                      .last_seq = Seq{0},
                      .hlc = Hlc{hlc}});
}

void publish(memory::MemoryBroker& broker, const OriginName& origin, const std::string& bytes) {
  const auto session = broker.session("relay");
  REQUIRE(session->declare(origin));
  const auto writer = session->open_writer(origin);
  REQUIRE(writer);
  REQUIRE((*writer)->publish(1, bytes));
}

template <typename Condition>
bool soon(const Condition& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

/// Of a broker that takes connections and says nothing until it is let go.
class HangingChangelog final : public Changelog {
 public:
  explicit HangingChangelog(std::shared_future<void> answer) : answer_(std::move(answer)) {}
  Result<Declared> declare(const OriginName& /*origin*/) override { return hang(); }
  Result<std::unique_ptr<ChangelogWriter>> open_writer(const OriginName& /*origin*/) override {
    return hang();
  }
  Result<std::unique_ptr<ChangelogReader>> open_reader(const OriginName& /*origin*/,
                                                       std::optional<Offset> /*after*/) override {
    return hang();
  }
  Result<std::optional<ChangelogMessage>> last(const OriginName& /*origin*/) override {
    return hang();
  }

 private:
  tl::unexpected<Error> hang() {
    answer_.wait();
    return fail(ErrorKind::kTransient, "it took too long");
  }
  std::shared_future<void> answer_;
};

/// A region's consumer of two origins, in threads, as the daemon runs it.
struct Region {
  std::shared_ptr<Metrics> metrics = std::make_shared<Metrics>();
  ConsumerSettings settings{.heartbeat_commit = Millis{0}};
  memory::MemoryBroker broker;
  MemoryReplica replica;
  std::shared_ptr<Changelog> shops = broker.session("shop reader");
  std::shared_ptr<Changelog> tills = broker.session("till reader");
  std::atomic<bool> replica_refuses{false};
  std::stop_source stop;
  std::optional<Crew> running;

  Region() {
    publish(broker, kShop, heartbeat_of(kShop, 1));
    publish(broker, kTill, heartbeat_of(kTill, 1));
  }
  ~Region() {
    stop.request_stop();
    if (running) CHECK(running->wait(std::chrono::seconds(10), std::chrono::seconds(10)));
  }

  void run() {
    const ConsumerPorts ports{.open_replica = [this]() -> Result<std::unique_ptr<ReplicaStore>> {
                                if (replica_refuses)
                                  return fail(ErrorKind::kFatal, "wrong password");
                                return replica.open();
                              },
                              .changelogs = {{kShop, shops}, {kTill, tills}},
                              .clock = std::make_shared<SystemClock>(),
                              .metrics = metrics};
    running.emplace(start_consumer(settings, ports, stop.get_token()));
  }
  /// The offset of the origin's log up to which the replica is.
  std::optional<Offset> reached(const OriginName& origin) {
    const auto progress = (*replica.open())->progress();
    const auto found = progress->origins.find(origin);
    if (found == progress->origins.end()) return std::nullopt;
    return found->second.offset;
  }
  double gauge(const std::string& name, const std::string& origin) {
    return gauge_value(*metrics, name, origin).value_or(-1);
  }
};

}  // namespace

TEST_CASE("a changelog that may not be read does not stop the others, and is read when it may") {
  Region region;
  region.broker.refuse("till reader", kTill, true);
  region.run();
  CHECK(soon([&] { return region.reached(kShop).has_value(); }));
  CHECK(soon([&] { return region.gauge("tributary_consumer_failed", "till") == 1; }));
  CHECK(region.gauge("tributary_consumer_failed", "shop") == 0);
  CHECK(region.gauge("tributary_consumer_changelog_connected", "till") == 0);
  publish(region.broker, kShop, heartbeat_of(kShop, 2));
  CHECK(soon([&] { return region.reached(kShop) == Offset{1}; }));

  region.broker.refuse("till reader", kTill, false);
  CHECK(soon([&] { return region.reached(kTill).has_value(); }));
  CHECK(soon([&] { return region.gauge("tributary_consumer_failed", "till") == 0; }));
}

TEST_CASE("a changelog whose broker hangs holds nobody up, neither at a stop nor at a new start") {
  Region region;
  std::promise<void> answer;
  region.tills = std::make_shared<HangingChangelog>(answer.get_future().share());
  region.run();
  CHECK(soon([&] { return region.reached(kShop).has_value(); }));
  region.stop.request_stop();
  CHECK_FALSE(region.running->wait(Millis{2000}, Millis{2000}));
  region.running.reset();
  CHECK(Crew::still_behind() == 1);  // the reader that hangs, and none besides

  region.stop = std::stop_source();
  region.run();
  publish(region.broker, kShop, heartbeat_of(kShop, 2));
  CHECK(soon([&] { return region.reached(kShop) == Offset{1}; }));
  answer.set_value();
  CHECK(soon([&] { return Crew::still_behind() == 0; }));
}

TEST_CASE("a replica that refuses its consumer is tried again until it does not") {
  Region region;
  region.replica_refuses = true;
  region.run();
  CHECK(soon([&] { return region.gauge("tributary_consumer_replica_failed", "") == 1; }));
  CHECK(region.gauge("tributary_consumer_replica_connected", "") == 0);
  region.replica_refuses = false;
  CHECK(soon([&] { return region.reached(kShop).has_value(); }));
  CHECK(soon([&] { return region.gauge("tributary_consumer_replica_failed", "") == 0; }));
  CHECK(region.gauge("tributary_consumer_replica_connected", "") == 1);
}

TEST_CASE("a reader waits longer and longer for a log that it may not read") {
  StandingClock clock;
  Metrics metrics;
  ConsumerSettings settings;
  memory::MemoryBroker broker;
  publish(broker, kShop, "anything");
  const auto changelog = broker.session("reader");
  ReadAhead read_ahead({kShop}, settings);
  read_ahead.restart(kShop, std::nullopt);
  OriginReader reader(*changelog, kShop, read_ahead, settings, clock, metrics);
  broker.refuse("reader", kShop, true);
  Millis wait{0};
  for (int i = 0; i < 10; ++i) wait = *reader.step(Millis{0});
  CHECK(wait >= Outage::kLongestWait / 2);
  broker.refuse("reader", kShop, false);
  CHECK(*reader.step(Millis{0}) == Millis{0});
  CHECK_FALSE(read_ahead.take(1).empty());
}
