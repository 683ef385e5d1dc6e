#include <random>

#include "tests/unit/consumer/region_under_test.h"

using namespace tributary;
using crdt::ViewKind;

namespace {

constexpr int kHistories = 150;
constexpr int kChanges = 14;

/// Two origins that add and remove elements of one set, each remove with a context that its writer
/// may have had.
std::vector<Batch> history(std::mt19937_64& dice) {
  std::vector<Batch> batches;
  std::uint64_t written[2] = {0, 0};
  for (int i = 0; i < kChanges; ++i) {
    const std::size_t who = dice() % 2;
    const OriginName& origin = who == 0 ? kShop : kTill;
    const ActorId actor = who == 0 ? kShopActor : kTillActor;
    const ActorId other = who == 0 ? kTillActor : kShopActor;
    const std::uint64_t context = dice() % (written[1 - who] + 1);
    const std::string element(1, static_cast<char>('a' + dice() % 3));
    const std::uint64_t kind = dice() % 5;
    const char* operation = kind < 2 ? "add" : (kind < 4 ? "remove" : "clear");
    batches.push_back(set_batch(origin, actor, ++written[who], "cart:1", operation,
                                kind < 4 ? element : std::string(),
                                seen({{other.value, context}})));
  }
  return batches;
}

/// The bytes of a region that got the history in any order; `park`: with the key blocked for some
/// of the time.
std::string bytes_of(const std::vector<Batch>& batches, std::uint64_t seed, bool park) {
  std::mt19937_64 dice(seed);
  RegionUnderTest region({.prune_interval = Millis{100 + dice() % 400}});
  std::vector<Batch> streams[2];
  for (const Batch& batch : batches) streams[batch.actor == kTillActor].push_back(batch);
  std::size_t sent[2] = {0, 0};
  const std::uint64_t block_at = dice() % kChanges;
  const std::uint64_t retry_at = block_at + dice() % kChanges;
  const auto mend = [&] {
    region.replica.drop_view("cart:1");
    REQUIRE(retry_all(*region.store(), {}));
  };
  for (std::uint64_t turn = 0; turn < kChanges; ++turn) {
    if (park && turn == block_at) region.replica.tamper("cart:1", ViewKind::kString, "foreign");
    std::size_t who = dice() % 2;
    if (sent[who] == streams[who].size()) who = 1 - who;
    region.publish(streams[who][sent[who]++]);
    region.run(Millis{100 + dice() % 300});
    if (park && turn == retry_at) mend();
  }
  if (park) mend();
  region.run(Millis{8000});
  CHECK(region.parked().empty());
  return region.replica.dump();
}

}  // namespace

TEST_CASE("pruning commutes with parking") {
  for (std::uint64_t seed = 1; seed <= kHistories; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 dice(seed);
    const auto batches = history(dice);
    const std::string plain = bytes_of(batches, seed, false);
    REQUIRE(bytes_of(batches, seed, true) == plain);
    REQUIRE(bytes_of(batches, seed + 1000, true) == plain);
  }
}
