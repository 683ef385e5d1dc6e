/// The real applier, readers and rebuilder of one region over memory connectors, stepped by hand,
/// and batches as relays make them.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <tributary/crdt/type.h>

#include "connectors/changelog/memory/changelog.h"
#include "connectors/replica/memory/replica_store.h"
#include "consumer/applier.h"
#include "consumer/origin_reader.h"
#include "consumer/rebuilder.h"
#include "consumer/retry.h"
#include "outbox/batch/batch.h"
#include "tests/unit/gauge_value.h"

namespace tributary {

inline const OriginName kShop{"shop"};
inline const OriginName kTill{"till"};
inline constexpr ActorId kShopActor{1};
inline constexpr ActorId kTillActor{2};

inline VersionVector seen(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> entries) {
  VersionVector vector;
  for (const auto& [actor, seq] : entries) vector.raise(ActorId{actor}, Seq{seq});
  return vector;
}

/// A batch of one change.
inline Batch one_change(const OriginName& origin, ActorId actor, std::uint64_t seq,
                        const std::string& key, const crdt::Type& type, crdt::SealedChange change) {
  change.seq = Seq{seq};
  change.hlc = Hlc{seq};
  change.own = Seq{seq - 1};
  crdt::ContextTable contexts;
  std::string body = type.seal(actor, {&change, 1}, contexts);
  return {.actor = actor,
          .origin = origin,
          .first_seq = Seq{seq},
          .last_seq = Seq{seq},
          .hlc = Hlc{seq},
          .contexts = contexts.contexts(),
          .deltas = {{key, type, Seq{seq}, std::move(body)}}};
}

/// The counter's totals after the change are `total`.
inline Batch counter_batch(const OriginName& origin, ActorId actor, std::uint64_t seq,
                           const std::string& key, std::int64_t total) {
  const crdt::Type& type = *crdt::find_type("counter");
  crdt::SealedChange change;
  change.operation = crdt::find_operation(type, "add");
  change.totals = {total, 0};
  return one_change(origin, actor, seq, key, type, change);
}

inline Batch set_batch(const OriginName& origin, ActorId actor, std::uint64_t seq,
                       const std::string& key, std::string_view operation, std::string_view element,
                       const VersionVector& context = {}) {
  const crdt::Type& type = *crdt::find_type("set");
  crdt::SealedChange change;
  change.operation = crdt::find_operation(type, operation);
  change.value = element;
  change.context = &context;
  return one_change(origin, actor, seq, key, type, change);
}

inline Batch heartbeat(const OriginName& origin, ActorId actor, std::uint64_t head) {
  return {.actor = actor,
          .origin = origin,
          .first_seq = Seq{head + 1},
          .last_seq = Seq{head},
          .hlc = Hlc{head}};
}

/// A clock whose wall time can step.
struct SteppingClock final : Clock {
  [[nodiscard]] Micros wall() const override { return Micros{1'700'000'000'000'000} + now + skew; }
  [[nodiscard]] Micros monotonic() const override { return now; }
  Micros now{1};
  Micros skew{0};
};

struct RegionUnderTest {
  /// On a replica in memory of its own, unless another one is given.
  explicit RegionUnderTest(ConsumerSettings its_settings = {}, OpenReplica its_replica = {})
      : settings(std::move(its_settings)) {
    if (its_replica) open_replica = std::move(its_replica);
    REQUIRE(changelog->declare(kShop));
    REQUIRE(changelog->declare(kTill));
  }

  void publish(const OriginName& origin, const std::string& bytes) {
    const auto session = broker.session("relay");
    const auto writer = session->open_writer(origin);
    REQUIRE(writer);
    REQUIRE((*writer)->publish(1, bytes));
    REQUIRE((*writer)->confirmed(Millis{0}));
  }
  void publish(const Batch& batch) { publish(batch.origin, encode(batch)); }

  void run(Micros time) {
    for (const Micros end = clock.now + time; clock.now < end; clock.now += Millis{100}) {
      for (int i = 0; i < 10; ++i) {
        REQUIRE(shop.step(Millis{0}));
        REQUIRE(till.step(Millis{0}));
      }
      REQUIRE(applier.step());
    }
  }
  /// Lets the rebuilder make a pass, beside the applier.
  void rebuild() {
    static_cast<void>(rebuilder.step({}));
    run(Millis{300});
  }

  std::unique_ptr<ReplicaStore> store() { return *open_replica(); }
  /// "{a,b}", a plain value, or "(none)".
  std::string view(const std::string& key) {
    const KeyReading reading = *store()->read(key);
    if (!reading.exists) return "(none)";
    if (reading.view == crdt::ViewKind::kString) return reading.values.front().second;
    std::string text;
    for (const auto& [member, value] : reading.values) text += (text.empty() ? "" : ",") + member;
    return "{" + text + "}";
  }
  std::uint64_t watermark(ActorId actor) { return store()->progress()->watermark.get(actor).value; }
  std::vector<ParkedEntry> parked() { return *store()->parked({}, 100'000); }
  double gauge(const std::string& name, const std::string& origin = {}) {
    return gauge_value(metrics, name, origin).value_or(-1);
  }
  double counter(const std::string& name) {
    double sum = 0;
    for (const auto& family : metrics.registry()->Collect()) {
      if (family.name != name) continue;
      for (const auto& metric : family.metric) sum += metric.counter.value;
    }
    return sum;
  }

  SteppingClock clock;
  Metrics metrics;
  ConsumerSettings settings;
  memory::MemoryBroker broker;
  MemoryReplica replica;
  OpenReplica open_replica = [this] { return replica.open(); };
  ReadAhead read_ahead{{kShop, kTill}, settings};
  std::unique_ptr<Changelog> changelog = broker.session("consumer");
  OriginReader shop{*changelog, kShop, read_ahead, settings, clock, metrics};
  OriginReader till{*changelog, kTill, read_ahead, settings, clock, metrics};
  Applier applier{[this] { return open_replica(); }, read_ahead, settings, clock, metrics};
  Rebuilder rebuilder{[this] { return open_replica(); },
                      {{kShop, changelog.get()}, {kTill, changelog.get()}},
                      settings,
                      clock,
                      metrics};
};

}  // namespace tributary
