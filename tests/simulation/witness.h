/// Sees every message that reaches a log, and knows by the rules of docs/architecture.md which of
/// them count, told independently of relay and consumer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tributary/crdt/version_vector.h>

#include "connectors/changelog/changelog.h"
#include "outbox/batch/batch.h"
#include "tests/simulation/history.h"

namespace tributary::simulation {

/// Not thread-safe.
class Witness {
 public:
  explicit Witness(History& history) : history_(history) {}

  void stored(const OriginName& origin, std::string_view bytes);
  /// Whom to ask whether any region has applied changes of an actor.
  void ask(std::function<bool(ActorId)> applied) { applied_ = std::move(applied); }
  /// These bytes will be published by somebody who lies: nobody may obey them.
  void forged(std::string bytes) { forged_.insert(std::move(bytes)); }
  [[nodiscard]] bool is_forged(const std::string& bytes) const { return forged_.contains(bytes); }

  /// Actor -> last seq that counts: what a region must hold.
  [[nodiscard]] const VersionVector& all() const { return all_; }
  [[nodiscard]] const std::map<ActorId, OriginName>& owners() const { return owners_; }
  /// The last seq of the actor that counts by what its followers told; more than all when none did.
  [[nodiscard]] Seq final_of(ActorId actor) const;
  /// The database and the log of an origin were put back to before the same change, and no replica
  /// had it: nobody can know that its seq was ever given, and it may be given again.
  [[nodiscard]] bool forgot() const { return forgot_; }
  /// A row of these transactions was discarded; the log will be told.
  void discards(std::uint64_t tag, const std::set<std::size_t>& numbers) {
    discards_[tag].insert(numbers.begin(), numbers.end());
  }
  /// The origin's log has lost all but these messages.
  void kept(const OriginName& origin, std::span<const ChangelogMessage> messages);
  /// From now on nobody may know what came last of the origin.
  void loses(const OriginName& origin) { loses_.insert(origin); }
  [[nodiscard]] const std::set<OriginName>& losing() const { return loses_; }
  /// Whom the origin's messages name in the end: its actor, and those that this followed. What is
  /// lost of others, a region of a restored origin that has nothing of them cannot know.
  [[nodiscard]] bool named(const OriginName& origin, ActorId actor) const;
  /// The bytes of every batch that counted, in order.
  [[nodiscard]] const std::vector<std::string>& batches(const OriginName& origin) {
    return batches_[origin];
  }
  /// A seq of an actor that stands for two things, or for none. Where a log broke off for good, not
  /// all stands in it.
  [[nodiscard]] std::optional<std::string> wrong(const std::set<OriginName>& broken) const;

 private:
  [[nodiscard]] bool counts(const Batch& batch, std::string_view bytes);
  /// A message says that the former actor's last seq is `last`.
  void end(const Batch& batch, std::string_view bytes, ActorId former, Seq last);
  void forget_unnamed(const Batch& batch);
  /// Up to where the actor's changes came one after the other.
  [[nodiscard]] Seq whole(ActorId actor) const;
  void take(const Batch& batch, std::string_view bytes);

  History& history_;
  std::function<bool(ActorId)> applied_;
  std::set<std::string> forged_;
  std::map<ActorId, OriginName> owners_;
  std::map<OriginName, std::set<ActorId>> named_;  ///< by the last message
  std::map<ActorId, Seq> final_;
  std::map<ActorId, std::string> told_final_;           ///< the message that told of it
  std::map<ActorId, std::vector<std::string>> beyond_;  ///< batches behind it, in order
  std::map<ActorId, Seq> whole_;
  std::map<std::pair<ActorId, std::uint64_t>, std::pair<Seq, std::string>> sealed_;
  std::map<OriginName, std::vector<std::string>> batches_;
  std::map<OriginName, std::set<std::string>> logs_;         ///< messages that stand there
  std::map<std::uint64_t, std::set<std::size_t>> discards_;  ///< tag -> transactions
  VersionVector all_;
  std::set<OriginName> loses_;
  bool forgot_ = false;
  std::optional<std::string> wrong_;
};

}  // namespace tributary::simulation
