#include "consumer/read_ahead.h"

namespace tributary {

ReadAhead::ReadAhead(std::vector<OriginName> origins, const ConsumerSettings& settings)
    : origins_(std::move(origins)), settings_(settings) {
  for (const OriginName& origin : origins_) queues_[origin];
}

bool ReadAhead::has_room(const Queue& queue) const {
  return queue.messages.size() < settings_.queue_batches && queue.bytes < settings_.queue_bytes;
}

std::optional<Attachment> ReadAhead::attachment(const OriginName& origin) const {
  const std::scoped_lock lock(mutex_);
  const Queue& queue = queues_.at(origin);
  if (!queue.attached) return std::nullopt;
  return queue.attachment;
}

bool ReadAhead::room(const OriginName& origin) const {
  const std::scoped_lock lock(mutex_);
  return has_room(queues_.at(origin));
}

bool ReadAhead::wait_for_room(const OriginName& origin, std::uint64_t generation,
                              std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const Queue& queue = queues_.at(origin);
  return changed_.wait(lock, stop, [&] {
    return queue.attached && (queue.attachment.generation > generation || has_room(queue));
  });
}

void ReadAhead::push(std::uint64_t generation, Arrival received) {
  const std::scoped_lock lock(mutex_);
  Queue& queue = queues_.at(received.origin);
  if (!queue.attached || queue.attachment.generation != generation) return;
  queue.bytes += received.bytes;
  queue.messages.push_back(std::move(received));
  changed_.notify_all();
}

std::vector<Arrival> ReadAhead::take(std::size_t deltas) {
  const std::scoped_lock lock(mutex_);
  std::vector<Arrival> taken;
  std::size_t weight = 0;
  bool more = true;
  while (more && weight < deltas) {
    more = false;
    for (auto& [origin, queue] : queues_) {
      if (queue.messages.empty()) continue;
      Arrival& next = queue.messages.front();
      weight += next.batch ? next.batch->deltas.size() + 1 : 1;
      queue.bytes -= next.bytes;
      taken.push_back(std::move(next));
      queue.messages.pop_front();
      more = true;
    }
  }
  if (!taken.empty()) changed_.notify_all();
  return taken;
}

void ReadAhead::wait_for_batch(Millis wait, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, wait, [&] {
    for (const auto& [origin, queue] : queues_) {
      if (!queue.messages.empty()) return true;
    }
    return false;
  });
}

void ReadAhead::restart(const OriginName& origin, std::optional<Offset> after) {
  const std::scoped_lock lock(mutex_);
  Queue& queue = queues_.at(origin);
  queue.messages.clear();
  queue.bytes = 0;
  queue.attachment = {queue.attachment.generation + 1, after};
  queue.attached = true;
  changed_.notify_all();
}

void ReadAhead::suspend(Queue& queue) {
  queue.messages.clear();
  queue.bytes = 0;
  queue.attached = false;
}

void ReadAhead::suspend(const OriginName& origin) {
  const std::scoped_lock lock(mutex_);
  suspend(queues_.at(origin));
}

void ReadAhead::suspend() {
  const std::scoped_lock lock(mutex_);
  for (auto& [origin, queue] : queues_) suspend(queue);
}

}  // namespace tributary
