/// Which published messages the broker has confirmed, when acks may cover many and come in any
/// order.
#pragma once

#include <cstdint>
#include <deque>

namespace tributary::rabbitmq {

/// Tags are the caller's and grow; delivery tags are the broker's and count publishes from 1.
class ConfirmWindow {
 public:
  void published(std::uint64_t tag);
  /// basic.ack: of one delivery tag, or of it and all before it; multiple with 0 means all.
  void acked(std::uint64_t delivery_tag, bool multiple);
  /// Everything up to this tag is confirmed; 0: nothing.
  [[nodiscard]] std::uint64_t through() const { return through_; }

 private:
  struct Unconfirmed {
    std::uint64_t tag;
    bool acked;
  };
  std::deque<Unconfirmed> waiting_;       ///< in order of publish
  std::uint64_t first_delivery_tag_ = 1;  ///< of waiting_.front()
  std::uint64_t last_tag_ = 0;
  std::uint64_t through_ = 0;
};

}  // namespace tributary::rabbitmq
