/// Outbox rows in one line.
#pragma once

#include "outbox/batch/rows.h"

namespace tributary {

inline OutboxRow change_row(std::string_view key, std::string_view type, std::string_view operation,
                            std::string_view value = {}, std::int64_t amount = 0) {
  OutboxRow row;
  row.key = key;
  row.type = type;
  row.operation = operation;
  row.value = value;
  row.amount = amount;
  return row;
}

inline OutboxRow counter_add(std::string_view key, std::int64_t amount) {
  return change_row(key, "counter", "add", {}, amount);
}

}  // namespace tributary
