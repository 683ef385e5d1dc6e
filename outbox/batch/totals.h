/// The running totals of an origin's counters, in the relay's memory. A batch carries the new
/// totals of the counters it touches, so the stored totals may lag behind the retained batches:
/// most seals write none, and a new leader rebuilds the difference from the batches.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "outbox/batch/rows.h"

namespace tributary {

/// Not thread-safe.
class TotalsCache {
 public:
  struct Entry {
    crdt::Totals totals;
    bool unsaved = false;
    bool near_overflow = false;
  };

  /// Those of `rows` that accumulate and are not known yet; views into the rows.
  [[nodiscard]] std::vector<TotalsKey> unknown(std::span<const OutboxRow> rows) const;
  /// Each key once.
  [[nodiscard]] static std::vector<TotalsKey> distinct(std::vector<TotalsKey> keys);
  /// Takes over stored totals; every key of `asked` counts as known afterwards.
  void learn(std::span<const TotalsKey> asked, const std::vector<StoredTotals>& stored);

  /// The counter's entry, for add(); stays until saved() or clear(). nullptr: it is not known.
  [[nodiscard]] Entry* find(std::string_view key, std::string_view field);
  /// The totals after adding `amount`. False, with nothing changed, on overflow.
  [[nodiscard]] bool add(Entry& entry, std::int64_t amount, crdt::Totals& after);
  [[nodiscard]] bool add(std::string_view key, std::string_view field, std::int64_t amount,
                         crdt::Totals& after);
  /// Takes back what add() counted last for the key.
  void take_back(std::string_view key, std::string_view field, std::int64_t amount);
  /// Raises totals to those of a retained batch.
  void raise(std::string_view key, std::string_view field, const crdt::Totals& totals);

  /// What the stored totals lack.
  [[nodiscard]] std::vector<StoredTotals> unsaved() const;
  /// Of that, the counters close to overflow: writers look at their stored totals.
  [[nodiscard]] std::vector<StoredTotals> unsaved_near_overflow() const;
  [[nodiscard]] std::size_t unsaved_count() const { return unsaved_; }
  /// Everything is stored; forgets all when more than `keep` are known.
  void saved(std::size_t keep);
  void clear();

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  /// "key" NUL "field": keys hold no NUL.
  [[nodiscard]] std::string_view name(std::string_view key, std::string_view field) const;
  [[nodiscard]] Entry& entry(std::string_view key, std::string_view field);
  [[nodiscard]] std::vector<StoredTotals> collect(bool only_near_overflow) const;
  void mark(Entry& entry);

  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_;
  std::size_t unsaved_ = 0;
  bool any_near_overflow_ = false;
  mutable std::string scratch_;
};

}  // namespace tributary
