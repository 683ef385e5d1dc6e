/// What a replica in memory holds. Private to the replica in memory.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/replica/replica_store.h"

namespace tributary {

/// A view as Redis would hold it: real structures, so that a wrong edit shows.
struct MemoryView {
  explicit MemoryView(crdt::ViewKind its_kind) : kind(its_kind) {}

  crdt::ViewKind kind;
  std::string string;
  std::set<std::string> members;              ///< set
  std::map<std::string, std::string> fields;  ///< hash · sorted set: member -> score
  std::vector<std::string> list;

  [[nodiscard]] std::size_t size() const;
  /// Redis drops a collection with its last member; a string may be empty.
  [[nodiscard]] bool gone() const;
  /// As in KeyReading; a sorted set by (score, member), as ZRANGE.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> values() const;
};

struct MemoryState {
  std::string type;
  std::string version;
  std::map<std::string, std::string> fields;
  std::size_t members = 0;  ///< of the view as commits left it, unless it is a string
  std::string stray;        ///< what another program left in the place of all this; empty: nothing
};

struct ReplicaDisk {
  std::map<std::string, MemoryState, std::less<>> states;
  std::map<std::string, MemoryView, std::less<>> views;
  ReplicaProgress progress;
  std::map<std::string, KeyBlock, std::less<>> blocked;
  std::map<std::string, ParkedEntry, std::less<>> parked;
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>>
      parked_of_key;  ///< key -> ids
  std::set<std::string, std::less<>> deferring;
  std::set<std::string> discarded;
  std::optional<RegionName> consumer;
};

/// Carries out edits on the view at `key`, which is of `kind` or absent.
void apply(ReplicaDisk& disk, std::string_view key, crdt::ViewKind kind,
           const crdt::ViewEdits& edits);

[[nodiscard]] std::string dump(const ReplicaDisk& disk);

}  // namespace tributary
