/// Whether an outbox row is a legal change by the rules stored in its database. Not for: changes on
/// their way into the outbox (tributary/crdt/schema.h), which know what was left out.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tributary/crdt/type.h>

#include "outbox/batch/rows.h"

namespace tributary {

/// What becomes of a row.
struct RowVerdict {
  enum class Kind {
    kLegal,
    kUnknown,  ///< the database knows its type and operation, this program does not: it waits
    kIllegal,
  };
  Kind kind = Kind::kLegal;
  const crdt::Type* type = nullptr;            ///< when legal
  const crdt::Operation* operation = nullptr;  ///< when legal
  std::size_t key = 0;  ///< when legal: its number among the keys that were checked, from 0
  std::string why;      ///< when not
};

/// Looks each key up once. Keys are views into the rows. Not thread-safe.
class RowCheck {
 public:
  /// `rows`: how many will be checked, about.
  RowCheck(const StoredSchema& stored, std::size_t rows) : stored_(stored) {
    number_of_.reserve(rows);
  }
  RowCheck(const RowCheck&) = delete;
  RowCheck& operator=(const RowCheck&) = delete;
  [[nodiscard]] RowVerdict check(const OutboxRow& row);

 private:
  struct KeyRule {
    const crdt::Type* type = nullptr;  ///< absent: `why` says so, or the type is not known here
    std::string_view type_name = {};
    std::string why = {};
  };
  /// The number of the key's rule.
  std::size_t rule_of(std::string_view key);
  [[nodiscard]] KeyRule make_rule(std::string_view key) const;
  [[nodiscard]] bool database_knows(std::string_view type, std::string_view operation) const;

  const StoredSchema& stored_;
  std::pmr::monotonic_buffer_resource memory_;  ///< one allocation for many keys
  std::pmr::unordered_map<std::string_view, std::size_t> number_of_{&memory_};
  std::vector<KeyRule> rules_;
};

}  // namespace tributary
