/// The keys of a commit as the commit script takes them: those of one kind in a row, so that one
/// loop a kind does the work, which is most of what a commit costs Redis. Not for: what is shared
/// by all keys (commit_arguments.h).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "connectors/replica/redis/arguments.h"
#include "connectors/replica/replica_store.h"

namespace tributary::redis {

/// Borrows the keys. Their order in the script is that of names(), of checks and of writes:
/// strings of which one field is written (in runs that share type, mark and field; those that must
/// be there, then those that must not), others that must not be there, all others.
class CommitKeys {
 public:
  explicit CommitKeys(std::span<const KeyCommit> keys);

  /// (state, view) of each key.
  void add_names(Arguments& out) const;
  /// What must hold before anything is written.
  void add_checks(Arguments& out) const;
  /// `nonce` makes the new versions.
  void add_writes(Arguments& out, std::uint64_t nonce) const;

 private:
  struct Single {
    const KeyCommit* key = nullptr;
    const std::string* value = nullptr;  ///< of the only field that is written
  };
  /// Singles whose new version and field are the same.
  struct Run {
    const crdt::Type* type = nullptr;
    bool deferring = false;
    std::string_view field;
    std::vector<Single> keys = {};
  };
  using Runs = std::vector<Run>;

  static bool add_single(Runs& runs, const KeyCommit& key);
  /// In the order of the script.
  template <typename Each>
  void for_each(Each each) const;

  Runs held_;   ///< have a state
  Runs fresh_;  ///< have neither state nor view
  std::vector<const KeyCommit*> fresh_others_;
  std::vector<const KeyCommit*> others_;
};

}  // namespace tributary::redis
