/// Puts a delivery together from its frames: method, content header, any number of body frames.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tributary/base/result.h>

#include "connectors/changelog/changelog.h"
#include "connectors/changelog/rabbitmq/party.h"

struct amqp_frame_t_;

namespace tributary::rabbitmq {

struct Delivery {
  std::uint64_t delivery_tag = 0;
  ChangelogMessage message;
};

/// One per connection; feed it every frame. Frames that belong to no delivery are ignored.
class DeliveryAssembler {
 public:
  explicit DeliveryAssembler(Party party) : party_(std::move(party)) {}

  /// The delivery that `frame` completes. kTransient when the consumer was cancelled (the stream
  /// was deleted, or its node left); kInvalid when the queue is not a stream.
  Result<std::optional<Delivery>> feed(const amqp_frame_t_& frame);

 private:
  Result<void> begin(const amqp_frame_t_& frame);
  std::optional<Delivery> finish_if_whole();

  Party party_;
  Delivery current_;
  std::uint64_t body_size_ = 0;
  bool has_header_ = false;
};

}  // namespace tributary::rabbitmq
