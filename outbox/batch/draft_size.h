/// How large a batch will be once it is encoded, while its rows come in: never less than it is.
///
/// Three ways to tell, from fast to exact. Each row adds at most a known number of bytes; rows are
/// only noted while that keeps the sum within the limit asked for. Else they are counted with what
/// they share: keys, contexts. That may still be far above the truth, since the changes to one key
/// are joined; when it matters, whoever holds the rows encodes them and sets the sum right:
/// measured().
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <tributary/crdt/version_vector.h>

#include "outbox/batch/rows.h"

namespace tributary {

/// Not thread-safe. Borrows rows and contexts.
class DraftSize {
 public:
  /// `head_bytes`: of what stands in an empty batch.
  explicit DraftSize(std::size_t head_bytes) : bytes_(head_bytes) {}

  /// `new_key`: no row of that key was added since measured(). `context`: nullptr when the
  /// operation does not observe; `context_bytes` when encoded.
  void add(const OutboxRow& row, bool new_key, const VersionVector* context,
           std::size_t context_bytes);
  /// What was added so far is encoded in so many bytes.
  void measured(std::size_t bytes);

  /// Whether bytes() is at most `limit`, and stays there after rows that add no more than `most`
  /// (each as most_of() tells).
  [[nodiscard]] bool within(std::size_t limit, std::size_t most = 0);
  [[nodiscard]] std::size_t bytes();
  /// What a row adds beyond its own part, since elements that were sealed with a context in common
  /// are sealed with one each once another joins it.
  [[nodiscard]] std::size_t debt(const OutboxRow& row, const VersionVector* context,
                                 std::size_t context_bytes);
  /// What add() would add to bytes().
  [[nodiscard]] std::size_t more(const OutboxRow& row, bool new_key, const VersionVector* context,
                                 std::size_t context_bytes);

  /// A row adds no more than that, beside its debt().
  [[nodiscard]] static std::size_t most_of(const OutboxRow& row, std::size_t context_bytes);

 private:
  struct Noted {
    const OutboxRow* row = nullptr;
    const VersionVector* context = nullptr;
    std::size_t context_bytes = 0;
    bool new_key = false;
  };
  /// An element that removes name: it is sealed with the join of their contexts.
  struct Observer {
    const VersionVector* last = nullptr;
    std::size_t bytes = 0;      ///< of its contexts
    std::size_t uncounted = 0;  ///< of these, what is counted for all that share them, not for it
  };

  /// The rows that came last, of one transaction and tag, with ids that follow each other.
  struct Run {
    std::int64_t transaction = 0;
    std::int64_t first_id = -1;
    std::int64_t last_id = -1;
    std::uint64_t tag = 0;
  };

  void count_noted();
  [[nodiscard]] std::size_t more_rows(const OutboxRow& row) const;
  void note_run(const OutboxRow& row);
  [[nodiscard]] std::size_t count(const Noted& each) const;
  [[nodiscard]] std::size_t more_contexts(const OutboxRow& row, const VersionVector* context,
                                          std::size_t bytes) const;
  void note_context(const OutboxRow& row, const VersionVector* context, std::size_t bytes);

  std::size_t bytes_;
  std::size_t owed_ = 0;        ///< the most that debts can come to: what is counted for several
  std::vector<Noted> noted_;    ///< not in bytes_
  std::size_t noted_most_ = 0;  ///< that they add no more than
  Run last_;
  std::unordered_set<const VersionVector*> contexts_;  ///< counted since measured()
  std::map<std::pair<std::string_view, std::string_view>, Observer> observers_;  ///< (key, element)
};

}  // namespace tributary
