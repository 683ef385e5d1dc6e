/// What the services committed, what became of it in databases that were put back, and what of it
/// was published: told independently of the system, from the writes and the logs alone.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <tributary/base/ids.h>
#include <tributary/crdt/change.h>

#include "outbox/batch/writer_context.h"

namespace tributary::simulation {

/// A transaction in a batch that counts.
struct Publication {
  ActorId actor;
  Seq first;                  ///< of its first change
  std::uint64_t order = 0;    ///< among all publications
  bool behind_final = false;  ///< of a former actor, behind the final seq that was told later
  bool cut_off = false;       ///< … and changes before it never came: nobody could apply it
};

inline constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();

/// A committed transaction.
struct Written {
  std::string origin;
  std::vector<Change> changes;        ///< the first one marks it: see History::marker()
  WriterContext told;                 ///< what the database said its writers had seen
  std::size_t forgotten_at = kNever;  ///< transactions there were when its database went back
  bool may_be_lost = false;           ///< the database forgot it, or a person discarded it
  std::optional<Dot> discarded = {};  ///< the seq that told of the discard
  std::size_t most = 1;               ///< publications; more when a person decided so in doubt
  std::vector<Publication> publications = {};
};

/// Not thread-safe.
class History {
 public:
  /// The first change of transaction `number`, which tells it apart in batches and rows.
  [[nodiscard]] static Change marker(std::size_t number);
  /// The transaction that a key marks.
  [[nodiscard]] static std::optional<std::size_t> marked_by(const std::string& key);

  [[nodiscard]] std::size_t next() const { return written_.size(); }
  /// A transaction of `origin` committed; it has the number next().
  void committed(const std::string& origin, std::vector<Change> changes, WriterContext told);
  /// It stands in a batch that counts; `first` is the seq of its marker.
  void published(std::size_t number, ActorId actor, Seq first);
  /// The former actor's turn ended here, whatever it got in before: without a hole up to `whole`.
  void ended(ActorId actor, Seq final_seq, Seq whole);

  /// Transactions that the origin's database holds, sealed or not.
  [[nodiscard]] const std::set<std::size_t>& held_by(const std::string& origin) {
    return held_[origin];
  }
  /// The database went back to where it held these.
  void restored(const std::string& origin, const std::set<std::size_t>& held);
  /// A person decided what becomes of a transaction that was parked, or set aside as in doubt.
  void decided(std::size_t number, bool retried, bool doubted);
  /// A batch that counts tells that the transaction was discarded.
  void discarded(std::size_t number, Dot by) { written_.at(number).discarded = by; }
  /// Nothing of the origin that is not published can be expected to be.
  void broken(const std::string& origin);

  [[nodiscard]] const std::vector<Written>& written() const { return written_; }
  /// A transaction that is lost, or doubled. Of origins that lose (see Witness::loses()) what
  /// nobody knows to have been published is published again.
  [[nodiscard]] std::optional<std::string> wrong(const std::set<OriginName>& loses) const;

 private:
  std::vector<Written> written_;
  std::map<std::string, std::set<std::size_t>> held_;
  std::uint64_t publications_ = 0;
  std::set<std::size_t> came_back_;  ///< published, though the log told that they were discarded
};

}  // namespace tributary::simulation
