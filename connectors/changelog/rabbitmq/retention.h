/// How an operator changes the limits of a stream that is there. Not for: changing them; AMQP
/// cannot set policies, and declaring a stream again with other limits is refused by the broker.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <tributary/base/ids.h>

namespace tributary::rabbitmq {

/// The rabbitmqctl command, for a shell, that gives the origin's stream in the URL's virtual host
/// these limits; zero: no limit. A policy is
/// in force at once, overrides what the stream was made with, both ways (seen on RabbitMQ 3.10.8),
/// and keeps the stream's messages but for those beyond the new limits.
[[nodiscard]] std::string retention_policy(const std::string& broker_url, const OriginName& origin,
                                           std::chrono::seconds max_age, std::uint64_t max_bytes);

}  // namespace tributary::rabbitmq
