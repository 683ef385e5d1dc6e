/// The changelog port on RabbitMQ: one stream per origin, over AMQP 0-9-1. Needs RabbitMQ 3.9 or
/// later. Not for: users, permissions and policies of the broker.
///
/// Why no in-band end marker: a stream says neither how long it is nor that a consumer was attached
/// beyond its end, so last() and open_reader() find the end by consuming from the last chunk.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "connectors/changelog/changelog.h"

namespace tributary::rabbitmq {

/// Where a broker is and how to talk to it. Zero means "the broker's default" in the stream limits.
struct Endpoint {
  std::string url;       ///< amqp://host:port/vhost or amqps://…; may carry user:password@
  std::string username;  ///< takes precedence over the URL's
  /// Asked at every login, as passwords are rotated; what it gives takes precedence over the URL's.
  std::function<std::string()> password = {};
  std::string ca_file;    ///< PEM; empty with amqps: the system's certificates
  std::string cert_file;  ///< PEM; client certificate, with key_file
  std::string key_file;   ///< PEM

  Millis deadline{10'000};             ///< nothing may stand still for longer; a slow link may move
  std::chrono::seconds heartbeat{30};  ///< a silent link is given up after two of these; 0: never
  std::uint16_t prefetch = 200;        ///< messages the broker sends ahead of a reader, at most
  std::size_t prefetch_bytes = 16 << 20;  ///< and about so many bytes, but a few messages always

  std::chrono::seconds max_age{0};  ///< older segments may be deleted
  std::uint64_t max_bytes = 0;      ///< the oldest segments of a longer log are deleted
  std::uint64_t segment_bytes = 0;  ///< size of a segment file, the unit of deletion
};

/// Opens no connection. Each writer and each reader has its own, so publishing and consuming never
/// share one; declare() and last() use a short-lived one. Errors: kInvalid for a malformed URL.
/// At run time: kTransient for the link and for a missing stream, kFatal when the broker refuses
/// the credentials or a right, or its certificate cannot be trusted, kInvalid when another queue
/// holds the stream's name or a message is too large for the broker. Messages name user, right,
/// stream and broker; none contains the password. A stream that is there keeps its own limits.
Result<std::unique_ptr<Changelog>> make_changelog(const Endpoint& endpoint);

/// Name of the stream that holds the origin's log.
[[nodiscard]] std::string stream_name(const OriginName& origin);

}  // namespace tributary::rabbitmq
