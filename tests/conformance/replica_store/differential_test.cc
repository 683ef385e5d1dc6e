/// Random commits to both stores leave equal states and equal views.
#include <random>

#include "tests/conformance/replica_store/draft.h"
#include "tests/conformance/replica_store/subjects.h"

namespace tributary::replica_tests {
namespace {

using crdt::ViewKind;

constexpr int kKinds = 5;
constexpr int kRounds = 400;

class Generator {
 public:
  explicit Generator(std::uint32_t seed) : random_(seed) {}
  [[nodiscard]] int below(int limit) { return static_cast<int>(random_() % limit); }

  [[nodiscard]] PlainEdits edits(ViewKind kind) {
    PlainEdits edits;
    const bool members = kind != ViewKind::kString && kind != ViewKind::kList;
    for (int i = below(6); i > 0; --i) {
      const std::string member = members ? std::to_string(below(8)) : "";
      const int dice = below(10);
      if (dice == 0) edits.push_back(clear());
      else if (dice < 4 && members) edits.push_back(remove(member));
      else edits.push_back(put(member, kind == ViewKind::kSet ? "" : std::to_string(below(99))));
    }
    return edits;
  }

  /// Writes and drops fields as a type would: only those that are there are dropped.
  [[nodiscard]] Fields fields() {
    Fields fields;
    for (int i = 0; i < 6; ++i) {
      const int dice = below(4);
      if (dice == 0) fields.push_back({"f" + std::to_string(i), std::nullopt});
      if (dice == 1) fields.push_back({"f" + std::to_string(i), std::to_string(below(99))});
    }
    return fields;
  }

 private:
  std::mt19937 random_;
};

/// Everything but the version, which is each store's own.
std::string without_version(ReplicaStore& store, const std::string& key) {
  const std::string all = picture(store, key);
  return all.substr(version_of(store, key).size());
}

}  // namespace

TEST_CASE("the two stores agree on random commits") {
  MemorySubject memory;
  RedisSubject redis;
  REQUIRE_SUBJECT(redis);
  const std::unique_ptr<ReplicaStore> stores[] = {memory.open(), redis.open()};
  const std::uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  Generator generator(seed);
  for (int round = 0; round < kRounds; ++round) {
    CAPTURE(round);
    Draft drafts[2];
    for (int kind = 0; kind < kKinds; ++kind) {
      if (generator.below(2) == 0) continue;
      const std::string key = "k" + std::to_string(kind);
      const auto view = static_cast<ViewKind>(kind);
      const auto fields = generator.fields();
      const auto edits = generator.edits(view);
      const bool deferring = generator.below(3) == 0;
      for (std::size_t i = 0; i < 2; ++i) {
        drafts[i].key(key, view, version_of(*stores[i], key), fields, edits).deferring = deferring;
      }
    }
    for (std::size_t i = 0; i < 2; ++i) need(drafts[i].commit(*stores[i]));
    for (int kind = 0; kind < kKinds; ++kind) {
      const std::string key = "k" + std::to_string(kind);
      REQUIRE(without_version(*stores[0], key) == without_version(*stores[1], key));
    }
    REQUIRE(need(stores[0]->deferring_keys(10)).size() ==
            need(stores[1]->deferring_keys(10)).size());
  }
}

}  // namespace tributary::replica_tests
