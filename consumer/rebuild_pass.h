/// Makes keys anew from what all changelogs hold of them, from their first messages on: one pass.
/// Not for: choosing keys and times (see rebuilder.h).
///
/// The states of the wanted keys are joined in memory, from nothing, by the rules of planner.h,
/// with what was read and applied so far in the place of the replica's watermark. A key may be
/// committed once all that the replica has applied was read, and nothing beyond is joined: whatever
/// was parked or lost is in it then.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <tributary/crdt/schema.h>

#include "connectors/changelog/changelog.h"
#include "connectors/replica/replica_store.h"
#include "consumer/planner.h"

namespace tributary {

/// A change that was read, but that the replica has not applied yet.
struct AheadChange {
  std::shared_ptr<const Batch> batch;
  const Delta* delta = nullptr;
  VersionVector before;  ///< all that was read before its batch
};

/// A key as made from the changelogs so far.
struct RebuiltKey {
  std::string_view keyspace_type;    ///< empty: no keyspace matches
  const crdt::Type* type = nullptr;  ///< nullptr: no change to it was met
  std::string type_name;
  crdt::State state;
  bool deferring = false;
  std::string problem;  ///< why it cannot be made; empty: it can
  /// In the order of reading. The key must not run ahead of the replica: readers would see a part
  /// of transactions, and replicas with equal watermarks would differ.
  std::vector<AheadChange> ahead;
};

/// One thread.
class RebuildPass {
 public:
  using Changelogs = std::map<OriginName, Changelog*>;

  /// All is borrowed; `progress` is the replica's now.
  RebuildPass(const Changelogs& changelogs, const Schema& schema, const ReplicaProgress& progress);

  /// A key to make.
  void want(const std::string& key);
  /// Reads every changelog to where it ends now, as far as it can be read: an error only when it is
  /// to stop. A log that is gone, as one of a retired origin may be, holds nothing.
  Result<void> read_all(const std::stop_token& stop);
  /// The changelogs that could not be read to their ends, and why.
  [[nodiscard]] std::map<OriginName, std::string> unread() const;
  /// Reads on until all of `watermark` was read; why that cannot be, or nothing.
  Result<std::string> catch_up(const VersionVector& watermark, const std::stop_token& stop);

  /// The replica has applied so much by now: joins what was ahead of it.
  void advance(const VersionVector& watermark);
  /// While the replica's watermark is not above this, the key is what it should be.
  [[nodiscard]] VersionVector good_until(const RebuiltKey& key) const;

  /// Everything up to here was read, with nothing missing.
  [[nodiscard]] const VersionVector& seen() const { return seen_.watermark(); }
  [[nodiscard]] const std::map<std::string, RebuiltKey, std::less<>>& keys() const { return keys_; }

 private:
  struct Source {
    Changelog* changelog = nullptr;
    std::unique_ptr<ChangelogReader> reader;
    std::optional<Offset> read_to;
    ActorId current;
    std::map<ActorId, HistoryDigest> histories;  ///< up to what was seen of each actor
    std::string unread;                          ///< why it can be read no further; empty: it can
  };
  /// What cannot be read is left as it is: whether it is needed shows in the end.
  static Result<void> as_far_as_it_goes(Source& source, Result<void> read,
                                        const std::stop_token& stop);
  /// Whether the batch goes on from other changes than those that were seen.
  [[nodiscard]] bool parts(const Source& source, const Batch& batch) const;
  /// Why a key cannot be made of what was read: of `actor` it ends at `have`.
  [[nodiscard]] std::string lacking(ActorId actor, Seq have) const;
  Result<void> read_to_end(const OriginName& origin, Source& source, const std::stop_token& stop);
  /// Reads what is there now.
  Result<void> drain(const OriginName& origin, Source& source);
  void take(const OriginName& origin, Source& source, const ChangelogMessage& message);
  void join(const Batch& batch, const Delta& delta, RebuiltKey& key, const VersionVector& before);

  const Schema& schema_;
  const ReplicaProgress& progress_;
  VersionVector heads_;
  VersionVector applied_;  ///< by the replica, as known last
  std::vector<OriginName> origins_;
  std::map<ActorId, ActorRecord> known_;
  Standing seen_;
  std::map<OriginName, Source> sources_;
  std::map<std::string, RebuiltKey, std::less<>> keys_;
};

}  // namespace tributary
