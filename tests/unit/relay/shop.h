/// One origin with its database and its broker, a relay that can be started and stopped, and a
/// reader of the changelog that knows the rules of a consumer, told independently of it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include <tributary/crdt/types/counter.h>
#include <tributary/crdt/types/register.h>
#include <tributary/crdt/types/set.h>

#include "connectors/changelog/memory/changelog.h"
#include "connectors/outbox/memory/outbox_store.h"
#include "outbox/batch/batch.h"
#include "relay/origin_relay.h"
#include "tests/unit/standing_clock.h"

namespace tributary {

/// A region that has read the changelog so far.
struct ShopReader {
  ReplicaProgress progress;
  std::map<std::uint64_t, std::int64_t> increments;  ///< actor -> total of all counters
  std::size_t lost = 0;                              ///< batches that did not follow

  void read(const memory::MemoryBroker& broker, const OriginName& origin) {
    const auto messages = broker.messages(origin);
    auto& place = progress.origins[origin];
    if (!messages.empty() && messages.back().offset < read_) started_ = false;  // another log
    for (const ChangelogMessage& message : messages) {
      if (started_ && message.offset <= read_) continue;
      started_ = true;
      read_ = message.offset;
      const auto batch = decode_batch(message.bytes);
      REQUIRE(batch);
      take(*batch, origin);
      if (!parted_.contains(place.actor)) place.offset = read_;
    }
  }
  [[nodiscard]] std::int64_t total() const {
    std::int64_t sum = 0;
    for (const auto& [actor, total] : increments) sum += total;
    return sum;
  }

 private:
  void take(const Batch& batch, const OriginName& origin) {
    for (const FormerActor& each : batch.former()) {
      ActorRecord& former = progress.actors[each.actor];
      former.origin = origin;
      if (!former.final_seq) former.final_seq = each.final_seq;
      if (progress.watermark.get(each.actor) < each.final_seq) ++lost;
    }
    ActorRecord& record = progress.actors[batch.actor];
    record.origin = origin;
    if (record.final_seq && batch.last_seq > *record.final_seq) return;  // void
    const Seq have = progress.watermark.get(batch.actor);
    OriginProgress& place = progress.origins[origin];
    if (place.actor == batch.actor && batch.first_seq == have.next() &&
        place.history.contradicts(batch.before)) {
      parted_.insert(batch.actor);
    }
    if (parted_.contains(batch.actor)) return;
    if (!record.final_seq) place.actor = batch.actor;
    if (batch.last_seq == have && !place.history.known()) place.history = batch.history;
    if (batch.last_seq <= have) return;
    place.history = batch.history;
    if (batch.first_seq != have.next()) ++lost;
    progress.watermark.raise(batch.actor, batch.last_seq);
    progress.hlc = std::max(progress.hlc, batch.hlc);
    for (const Delta& delta : batch.deltas) {
      if (delta.type.name != "counter") continue;
      increments[batch.actor.value] =
          crdt::find_type("counter")->totals(delta.body)[0].totals.increments;
    }
  }

  bool started_ = false;
  Offset read_;
  std::set<ActorId> parted_;  ///< they went on from other changes than these
};

struct Shop {
  static inline const OriginName kName{"shop"};

  StandingClock clock;
  Schema schema{{{"stock:*", "counter"}, {"price:*", "register"}, {"cart:*", "set"}}, {}};
  RelaySettings settings;
  memory::MemoryBroker broker;
  memory::MemoryOutbox outbox{kName, schema, clock};
  std::unique_ptr<Changelog> changelog = broker.session("relay");
  Metrics metrics;
  std::uint64_t random = 100;
  ShopReader region;         ///< the origin's own
  bool region_reads = true;  ///< before every step of the relay
  bool region_answers = true;
  std::optional<ReplicaContext> context;
  std::function<Result<ReplicaContext>()> ask_context;
  std::unique_ptr<OriginRelay> relay;

  void write(Change change) {
    const auto session = outbox.open_session();
    REQUIRE(session->begin());
    Transaction transaction(session->outbox());
    REQUIRE(transaction.write(std::move(change)));
    REQUIRE(transaction.commit());
    clock.now += Millis{1};
  }
  void sell(std::int64_t amount) { write(counter::add("stock:1", amount)); }

  /// A batch of that one change reaches the changelog, whatever the database knows.
  void publish(Dot dot) {
    const Batch batch{.actor = dot.actor,
                      .origin = kName,
                      .first_seq = dot.seq,
                      .last_seq = dot.seq,
                      .hlc = {},
                      .deltas = {{"stock:1", "counter", dot.seq, "any"}}};
    const auto writer = changelog->open_writer(kName);
    REQUIRE((*writer)->publish(1, encode(batch)));
  }

  void start() {
    relay = std::make_unique<OriginRelay>(
        kName, settings,
        RelayPorts{.open_store = [this]() -> Result<std::unique_ptr<OutboxStore>> {
                     return outbox.open_store();
                   },
                   .changelog = changelog.get(),
                   .writer_context = [this] { return context; },
                   .ask_context = ask_context,
                   .ask_replicas =
                       [this] {
                         ReplicaAnswers answers;
                         answers.own = answers.all = region_answers;
                         if (region_answers) answers.replicas.push_back(region.progress);
                         return answers;
                       },
                   .random = [this] { return ++random; },
                   .clock = &clock,
                   .metrics = &metrics});
  }
  void steps(int count, Micros each = Millis{200}) {
    for (int i = 0; i < count; ++i) {
      REQUIRE(relay->step());
      if (region_reads) region.read(broker, kName);
      clock.now += each;
    }
  }
  void stop() {
    relay->release();
    relay.reset();
  }
  /// A relay's whole life: lead, seal, publish, confirm, end.
  void relay_everything() {
    start();
    steps(30);
    stop();
  }

  OutboxStatus status() { return *outbox.open_store()->status(); }
  [[nodiscard]] std::size_t minted() const { return random - 100; }
};

}  // namespace tributary
