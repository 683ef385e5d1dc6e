#include "connectors/changelog/rabbitmq/confirm_window.h"

#include <algorithm>

#include "base/check.h"

namespace tributary::rabbitmq {

void ConfirmWindow::published(std::uint64_t tag) {
  CHECK(tag > last_tag_);
  last_tag_ = tag;
  waiting_.push_back({tag, false});
}

void ConfirmWindow::acked(std::uint64_t delivery_tag, bool multiple) {
  const std::uint64_t end = first_delivery_tag_ + waiting_.size();
  if (multiple && delivery_tag == 0) delivery_tag = end - 1;
  if (delivery_tag < first_delivery_tag_ || delivery_tag >= end) return;
  const auto at =
      waiting_.begin() + static_cast<std::ptrdiff_t>(delivery_tag - first_delivery_tag_);
  at->acked = true;
  if (multiple) std::for_each(waiting_.begin(), at, [](Unconfirmed& each) { each.acked = true; });
  while (!waiting_.empty() && waiting_.front().acked) {
    through_ = waiting_.front().tag;
    waiting_.pop_front();
    ++first_delivery_tag_;
  }
}

}  // namespace tributary::rabbitmq
