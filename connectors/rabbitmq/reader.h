/// ChangelogReader on RabbitMQ: a stream consumer over one connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <tributary/connectors/changelog.h>
#include <tributary/connectors/rabbitmq/connection.h>
#include <tributary/connectors/rabbitmq/delivery.h>

namespace tributary::rabbitmq {

/// Holds at most one message; what the broker sends ahead, bounded by the prefetch, waits in the
/// socket. Acknowledgements are flow control only: progress lives in the replica.
class StreamReader final : public ChangelogReader {
 public:
  /// Attaches behind `after`, or at the first message kept (see Changelog::open_reader).
  static Result<std::unique_ptr<ChangelogReader>> open(const Endpoint& endpoint,
                                                       const std::string& stream,
                                                       std::optional<Offset> after);

  StreamReader(std::unique_ptr<Connection> connection, std::uint16_t prefetch,
               std::optional<Offset> after);

  Result<std::optional<ChangelogMessage>> next(Millis wait) override;

 private:
  /// Waits for a delivery, which proves that the log reaches the offset attached at.
  Result<bool> hears_something(Millis wait);
  Result<std::optional<Delivery>> next_delivery(Millis wait);
  Result<void> acknowledge_some();
  Result<void> acknowledge_when_idle();

  std::unique_ptr<Connection> connection_;
  DeliveryAssembler deliveries_;
  SystemClock clock_;
  std::uint64_t batch_;           ///< acknowledge this many at once
  std::optional<Offset> after_;   ///< not delivered up to here
  std::optional<Delivery> kept_;  ///< received while attaching
  std::uint64_t unacknowledged_ = 0;
  std::uint64_t delivery_tag_ = 0;  ///< of the last delivery
  Micros last_acknowledged_;
};

}  // namespace tributary::rabbitmq
