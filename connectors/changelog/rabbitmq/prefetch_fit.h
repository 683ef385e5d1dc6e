/// How many messages the broker may send ahead of a reader, by their size. AMQP 0-9-1 can bound
/// their number only, and RabbitMQ loads them all at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace tributary::rabbitmq {

/// Told of every message, it says when another prefetch would be much better. Changes cost a new
/// connection, so small differences are left alone.
class PrefetchFit {
 public:
  /// What to begin with, when nothing is known of the messages: 8 of 8 MiB are bearable.
  static std::uint16_t first(std::uint16_t most) { return std::clamp<std::uint16_t>(most, 1, 8); }

  PrefetchFit(std::uint16_t prefetch, std::uint16_t most, std::size_t bytes)
      : prefetch_(std::max<std::uint16_t>(prefetch, 1)),
        most_(std::max<std::uint16_t>(most, 1)),
        bytes_(bytes) {}

  [[nodiscard]] std::uint16_t prefetch() const { return prefetch_; }

  /// A message of this size has come: the prefetch to attach again with, nullopt to stay.
  std::optional<std::uint16_t> received(std::size_t size) {
    largest_ = std::max(largest_, size);
    ++count_;
    const std::uint16_t best = fitting();
    if (best < prefetch_ && prefetch_ * largest_ > kSlack * bytes_) return best;
    const bool known = count_ >= kSlack * prefetch_;
    if (known && best >= kSlack * prefetch_) return best;
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kSlack = 4;
  static constexpr std::size_t kFewest = 4;

  [[nodiscard]] std::uint16_t fitting() const {
    const std::size_t fit = bytes_ / std::max<std::size_t>(largest_, 1);
    const std::size_t fewest = std::min<std::size_t>(kFewest, most_);
    return static_cast<std::uint16_t>(std::clamp<std::size_t>(fit, fewest, most_));
  }

  std::uint16_t prefetch_;
  std::uint16_t most_;
  std::size_t bytes_;
  std::size_t largest_ = 0;
  std::size_t count_ = 0;
};

}  // namespace tributary::rabbitmq
