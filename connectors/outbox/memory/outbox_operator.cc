// What tests do to a memory outbox from outside: faults, backups, restores, other rules.
#include "connectors/outbox/memory/outbox_disk.h"

namespace tributary::memory {

void MemoryOutbox::set_fault(Fault fault) {
  const std::lock_guard lock(shared_->mutex);
  shared_->fault = std::move(fault);
}

void MemoryOutbox::disconnect_all() {
  const std::lock_guard lock(shared_->mutex);
  ++shared_->incarnation;
  shared_->lease_holder = nullptr;
}

OutboxBackup MemoryOutbox::backup() const {
  const std::lock_guard lock(shared_->mutex);
  return OutboxBackup(std::make_shared<const OutboxDisk>(shared_->disk));
}

void MemoryOutbox::apply(Schema schema) {
  const std::lock_guard lock(shared_->mutex);
  auto& ever = shared_->disk.keyspaces_ever;
  ever.insert(ever.end(), schema.keyspaces.begin(), schema.keyspaces.end());
  shared_->disk.schema = std::move(schema);
}

void MemoryOutbox::share_numbers() {
  const std::lock_guard lock(shared_->mutex);
  shared_->disk.shared_numbers = true;
}

void MemoryOutbox::know_operation(std::string type, std::string operation) {
  const std::lock_guard lock(shared_->mutex);
  shared_->disk.operations.emplace_back(std::move(type), std::move(operation));
}

WriterContext MemoryOutbox::told() const {
  const std::lock_guard lock(shared_->mutex);
  return *WriterContext::from_bytes(*shared_->disk.context);
}

void MemoryOutbox::publish_again() {
  const std::lock_guard lock(shared_->mutex);
  for (auto& each : shared_->disk.batches) each.confirmed_at.reset();
}

std::size_t MemoryOutbox::batches() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->disk.batches.size();
}

void MemoryOutbox::restore_in_place(const OutboxBackup& backup) {
  const std::lock_guard lock(shared_->mutex);
  const std::string identity = shared_->disk.identity;
  const std::int64_t transaction = shared_->disk.next_transaction;
  shared_->disk = backup.disk();
  shared_->disk.identity = identity;
  // Those of a server do not go back with a database; those in a file do.
  if (!shared_->disk.shared_numbers) shared_->disk.next_transaction = transaction;
}

void MemoryOutbox::restore(const OutboxBackup& backup, bool noticed) {
  disconnect_all();
  restore_in_place(backup);
  const std::lock_guard lock(shared_->mutex);
  if (noticed) shared_->disk.identity = "memory:" + std::to_string(++shared_->identities);
}

}  // namespace tributary::memory
