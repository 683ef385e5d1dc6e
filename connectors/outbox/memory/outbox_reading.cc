#include "connectors/outbox/memory/outbox_reading.h"

#include <algorithm>
#include <set>
#include <string>

namespace tributary::memory {

bool take(const OutboxDisk& disk, SealLimit limit, std::vector<StoredRow>& taken) {
  taken.clear();
  std::size_t fitting = 0;
  std::size_t bytes = 0;
  std::set<const std::string*> contexts;
  for (const auto& [id, row] : disk.rows) {
    if (fitting == limit.rows || bytes >= limit.bytes) break;
    bytes += row.key.size() + row.field.size() + row.value.size();
    if (row.context != nullptr && contexts.insert(row.context.get()).second) {
      bytes += row.context->size();
    }
    ++fitting;
  }
  std::set<std::int64_t> beyond;
  std::size_t seen = 0;
  for (const auto& [id, row] : disk.rows) {
    if (seen++ >= fitting) beyond.insert(row.transaction);
  }
  seen = 0;
  for (const auto& [id, row] : disk.rows) {
    if (seen++ >= fitting) return false;
    if (!beyond.contains(row.transaction)) taken.push_back(row);
  }
  return true;
}

void drop_consumed(OutboxDisk& disk, const ConsumedRows& consumed) {
  const auto within = [&](const StoredRow& row) {
    return row.transaction == consumed.transaction && row.tag == consumed.tag &&
           row.first_id() >= consumed.first_id && row.first_id() <= consumed.last_id;
  };
  std::erase_if(disk.rows, [&](const auto& each) { return within(each.second); });
  std::erase_if(disk.parked, [&](const ParkedStoredRow& each) { return within(each.row); });
}

std::vector<SealedBatch> page(const OutboxDisk& disk, SealLimit limit,
                              const std::function<bool(const StoredBatch&)>& wanted) {
  std::vector<SealedBatch> batches;
  std::size_t bytes = 0;
  for (const StoredBatch& each : disk.batches) {
    if (!wanted(each)) continue;
    bytes += each.batch.bytes.size();
    if (!batches.empty() && (batches.size() == limit.rows || bytes > limit.bytes)) break;
    batches.push_back(each.batch);
  }
  return batches;
}

StoredRow stored_row(const UnsealedRow& row) {
  return {.id = row.id,
          .transaction = row.transaction,
          .key = row.key,
          .type = row.type,
          .operation = row.operation,
          .field = {},
          .value = row.value.value_or(""),
          .amount = row.amount.value_or(0),
          .context = row.context,
          .exact = row.exact,
          .hlc = row.hlc,
          .tag = row.tag};
}

}  // namespace tributary::memory
