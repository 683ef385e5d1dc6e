/// A shop whose relay may be cut off from its broker, and whose database goes back and forth.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/relay/shop.h"

namespace tributary {

struct TornShop : Shop {
  explicit TornShop(bool published = true) {
    if (published) sell(1);
  }

  void cut_off() { broker.cut("relay"); }
  void heal() { broker.heal("relay"); }
  /// What is written by `body` is sealed, and never published. The value is the database then.
  memory::OutboxBackup sealed_in_vain(const std::function<void()>& body) {
    start();
    steps(30);
    cut_off();
    body();
    steps(30);
    REQUIRE(status().unconfirmed > 0);
    const memory::OutboxBackup disk = outbox.backup();
    relay.reset();
    heal();
    return disk;
  }
  /// Out of a socket that was blocked.
  void arrive(const std::vector<SealedBatch>& batches) {
    const auto session = broker.session("a former relay");
    const auto writer = session->open_writer(kName);
    std::uint64_t tag = 0;
    for (const SealedBatch& batch : batches) REQUIRE((*writer)->publish(++tag, batch.bytes));
  }
  void put_back(const memory::OutboxBackup& disk, bool noticed) {
    outbox.restore(disk, noticed);
    relay_everything();
  }
  /// What waits is sealed, in a batch that this program may not understand.
  void seal_by_hand(bool understood) {
    const auto store = outbox.open_store();
    const OriginRecord record = *store->lead();
    const auto rows = *store->begin_seal({10});
    const StoredSchema stored = *store->schema();
    SealRules rules;
    rules.schema = &stored;
    rules.clock = kMaxClock;
    TotalsCache totals;
    SealResult sealing = seal({*record.actor, kName, record.head_seq, record.hlc, record.history},
                              rows, rules, totals);
    SealedBatch& sealed = sealing.batches.at(0);
    if (!understood) {
      auto batch = *decode_batch(sealed.bytes);
      batch.deltas.at(0).type = "graph";
      sealed.bytes = encode(batch);
    }
    SealCommit commit;
    commit.batches = sealing.batches;
    commit.hlc = sealing.head.hlc;
    REQUIRE(store->commit_seal(commit));
    REQUIRE(store->release());
  }
  std::size_t parked() { return outbox.open_store()->parked(0, 1000)->size(); }
  /// What the last delta of a key says, by its changes; of the newest actor only.
  std::string last(const std::string& key) {
    std::string said;
    for (const ChangelogMessage& message : broker.messages(kName)) {
      const auto batch = decode_batch(message.bytes);
      if (batch->actor != status().actor) continue;
      for (const Delta& delta : batch->deltas) {
        if (delta.key != key) continue;
        said.clear();
        for (const auto& each : delta.type.known->unseal(delta.body, batch->contexts)) {
          said += std::string(each.operation) + " " + each.value + ";";
        }
      }
    }
    return said;
  }
};

}  // namespace tributary
