/// Builds a commit piece by piece and owns what its views point to.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/replica/replica_store.h"

namespace tributary::replica_tests {

/// A type of no behaviour: a store looks at names and views only.
[[nodiscard]] const crdt::Type& type_of(crdt::ViewKind kind);

/// An edit to a view of any kind, told alike for all.
struct PlainEdit {
  enum class Action { kPut, kRemove, kClear };
  Action action = Action::kPut;
  std::string member;  ///< of a set, hash or sorted set
  std::string value;   ///< of a string, hash or list; the score of a sorted set's member

  [[nodiscard]] crdt::ViewEdit of(crdt::ViewKind kind) const;
};
using PlainEdits = std::vector<PlainEdit>;

[[nodiscard]] PlainEdit put(std::string member, std::string value = {});
[[nodiscard]] PlainEdit remove(std::string member);
[[nodiscard]] PlainEdit clear();

/// State fields that will be written; nullopt: dropped.
using Fields = std::vector<std::pair<std::string, std::optional<std::string>>>;

class Draft {
 public:
  struct Key {
    std::string key;
    const crdt::Type* type = nullptr;
    std::string version;
    crdt::State state;
    crdt::ViewEdits edits;
    bool deferring = false;
    bool whole = false;
    bool discard_damage = false;
  };

  /// The answer stays valid until the draft dies.
  Key& key(std::string key, crdt::ViewKind kind, std::string version, const Fields& fields,
           const PlainEdits& edits = {});
  Draft& advance(ActorId actor, std::uint64_t from, std::uint64_t to);
  /// Blocks a key, or (nullopt) no more.
  Draft& block(std::string key, std::string expected_mark, std::optional<KeyBlock> next);
  [[nodiscard]] Result<std::string> commit(ReplicaStore& store);

  std::optional<std::string> token;  ///< expected
  std::optional<VersionVector> watermark_at_most;
  std::vector<std::pair<ActorId, ActorRecord>> actors;
  std::vector<std::string> finished;
  std::vector<std::pair<OriginName, OriginProgress>> progress;
  std::vector<ParkedEntry> parked;
  std::vector<std::string> unparked;
  std::vector<std::string> discarded;
  std::vector<std::string> regained;
  Hlc hlc;

 private:
  std::deque<Key> keys_;
  std::vector<Advance> advances_;
  std::deque<std::string> blocked_;
  std::deque<std::string> marks_;
  std::vector<BlockCommit> blocks_;
};

}  // namespace tributary::replica_tests
