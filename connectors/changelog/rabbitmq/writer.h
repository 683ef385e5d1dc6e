/// ChangelogWriter on RabbitMQ: publisher confirms over one connection.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "connectors/changelog/changelog.h"
#include "connectors/changelog/rabbitmq/confirm_window.h"
#include "connectors/changelog/rabbitmq/connection.h"

namespace tributary::rabbitmq {

/// A large message on a slow link does not hold the caller: what the kernel has no room for goes
/// out in confirmed(), and blocked() is true until then.
///
/// Only a confirm counts: the first publish on a dead link still succeeds, and the broker
/// acknowledges a message it could not route after returning it.
class StreamWriter final : public ChangelogWriter {
 public:
  static Result<std::unique_ptr<ChangelogWriter>> open(const Endpoint& endpoint,
                                                       std::string stream);

  explicit StreamWriter(std::unique_ptr<Connection> connection);

  Result<void> publish(std::uint64_t tag, std::string_view bytes) override;
  Result<std::uint64_t> confirmed(Millis wait) override;
  [[nodiscard]] bool blocked() const override {
    return connection_->blocked() || connection_->sending();
  }

 private:
  Result<std::uint64_t> wait_for_news(Millis wait);
  Result<void> heed(const amqp_frame_t_& frame);
  Error not_sent(std::string_view what) const;
  Error with_size(Error error) const;

  std::unique_ptr<Connection> connection_;
  ConfirmWindow window_;
  std::size_t largest_ = 0;  ///< message published over this connection
};

}  // namespace tributary::rabbitmq
