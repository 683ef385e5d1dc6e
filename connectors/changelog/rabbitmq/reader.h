/// ChangelogReader on RabbitMQ: a stream consumer over one connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "connectors/changelog/changelog.h"
#include "connectors/changelog/rabbitmq/connection.h"
#include "connectors/changelog/rabbitmq/delivery.h"
#include "connectors/changelog/rabbitmq/prefetch_fit.h"

namespace tributary::rabbitmq {

/// Holds at most one message; what the broker sends ahead, bounded by the prefetch, waits in the
/// socket and in the broker's memory. AMQP counts messages only, so the prefetch follows their
/// size: a reader begins with few, and attaches again with more when messages turn out small, with
/// fewer when they turn out large. Acknowledgements are flow control only: progress lives in the
/// replica.
class StreamReader final : public ChangelogReader {
 public:
  /// Attaches behind `after`, or at the first message kept (see Changelog::open_reader).
  static Result<std::unique_ptr<ChangelogReader>> open(const Endpoint& endpoint,
                                                       const std::string& stream,
                                                       std::optional<Offset> after);

  StreamReader(const Endpoint& endpoint, std::unique_ptr<Connection> connection,
               std::uint16_t prefetch, std::optional<Offset> after);

  Result<std::optional<ChangelogMessage>> next(Millis wait) override;

 private:
  /// Waits for a delivery, which proves that the log reaches the offset attached at.
  Result<bool> hears_something(Millis wait);
  Result<std::optional<Delivery>> next_delivery(Millis wait);
  Result<void> acknowledge_some();
  Result<void> acknowledge_when_idle();
  Result<void> fit_prefetch(std::size_t bytes);
  Result<void> attach_again(std::uint16_t prefetch);

  Endpoint endpoint_;
  std::unique_ptr<Connection> connection_;
  DeliveryAssembler deliveries_;
  PrefetchFit fit_;
  SystemClock clock_;
  std::optional<Offset> after_;   ///< not delivered up to here
  std::optional<Delivery> kept_;  ///< received while attaching
  std::uint64_t unacknowledged_ = 0;
  std::uint64_t delivery_tag_ = 0;  ///< of the last delivery
  Micros last_acknowledged_;
};

}  // namespace tributary::rabbitmq
