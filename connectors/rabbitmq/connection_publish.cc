/// The sending half of Connection: never more at once than the kernel takes without blocking.
#include <algorithm>
#include <array>

#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/socket.h>
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#else
#include <amqp.h>
#endif

#include <tributary/connectors/rabbitmq/connection.h>

namespace tributary::rabbitmq {

namespace {

/// Frame header and end, and TLS record overhead.
constexpr std::size_t kFrameOverhead = 64;
/// Method and content header frames of a publish: their fixed parts and a queue name.
constexpr std::size_t kMethodOverhead = 512;
/// Where SO_MEMINFO does not exist: a writable socket takes this much.
constexpr std::size_t kAssumedRoom = 4096;
/// Less than this is not worth a frame.
constexpr std::size_t kSmallestPiece = 1024;

amqp_bytes_t bytes(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

amqp_basic_publish_t publish_method(const std::string& queue) {
  amqp_basic_publish_t method{};
  method.routing_key = bytes(queue);
  method.mandatory = 1;
  return method;
}

}  // namespace

std::size_t Connection::room() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof(memory);
  if (getsockopt(socket_, SOL_SOCKET, SO_MEMINFO, memory.data(), &size) != 0) {
    pollfd writable{.fd = socket_, .events = POLLOUT, .revents = 0};
    return ::poll(&writable, 1, 0) == 1 ? kAssumedRoom : 0;
  }
  const std::size_t total = memory[SK_MEMINFO_SNDBUF];
  const std::size_t used = memory[SK_MEMINFO_WMEM_QUEUED] + total / 4;
  // The kernel's own bookkeeping counts, too: about a tenth on top of the data.
  return used >= total ? 0 : (total - used) * 7 / 8;
}

Result<void> Connection::publish(const std::string& queue, std::string_view body) {
  const std::size_t frame_max = static_cast<std::size_t>(amqp_get_frame_max(handle()));
  const std::size_t frames = body.size() / (frame_max - kFrameOverhead) + 1;
  if (room() < body.size() + frames * kFrameOverhead + kMethodOverhead) {
    return publish_in_pieces(queue, body);
  }
  const amqp_basic_properties_t none{};
  return done(amqp_basic_publish(handle(), kChannel, amqp_empty_bytes, bytes(queue), 1, 0, &none,
                                 bytes(body)),
              "publish");
}

Result<void> Connection::publish_in_pieces(const std::string& queue, std::string_view body) {
  const std::int64_t until = (SystemClock().monotonic() + deadline_).count();
  amqp_basic_publish_t method = publish_method(queue);
  amqp_frame_t frame{};
  frame.channel = kChannel;
  frame.frame_type = AMQP_FRAME_METHOD;
  frame.payload.method = {AMQP_BASIC_PUBLISH_METHOD, &method};
  TRIBUTARY_TRY(send_piece(frame, until));

  amqp_basic_properties_t none{};
  frame.frame_type = AMQP_FRAME_HEADER;
  frame.payload.properties = {AMQP_BASIC_CLASS, body.size(), &none, amqp_empty_bytes};
  TRIBUTARY_TRY(send_piece(frame, until));

  const std::size_t largest =
      static_cast<std::size_t>(amqp_get_frame_max(handle())) - kFrameOverhead;
  frame.frame_type = AMQP_FRAME_BODY;
  while (!body.empty()) {
    TRIBUTARY_TRY(wait_for_room(until));
    const std::size_t size = std::min({body.size(), largest, room() - kFrameOverhead});
    frame.payload.body_fragment = bytes(body.substr(0, size));
    TRIBUTARY_TRY(done(amqp_send_frame(handle(), &frame), "publish"));
    body.remove_prefix(size);
  }
  return {};
}

Result<void> Connection::send_piece(const amqp_frame_t& frame, std::int64_t until_us) {
  TRIBUTARY_TRY(wait_for_room(until_us));
  return done(amqp_send_frame(handle(), &frame), "publish");
}

Error Connection::no_room() {
  amqp_frame_t frame;  // connection.blocked may still wait to be read
  for (auto more = next_frame(Millis{0}, frame); more && *more;)
    more = next_frame(Millis{0}, frame);
  return dead({ErrorKind::kTransient,
               label_ + ": publish: the broker took nothing for " +
                   std::to_string(deadline_.count()) + " ms" +
                   (blocked_ ? "; it blocks publishers: check its memory and disk alarms"
                             : "; check the network and the broker's alarms")});
}

Result<void> Connection::wait_for_room(std::int64_t until_us) {
  // The kernel calls a socket writable when a third of its buffer is free; room() keeps a quarter.
  while (room() < kSmallestPiece + kFrameOverhead) {
    const Micros left = Micros{until_us} - SystemClock().monotonic();
    if (left <= Micros{0}) return fail(no_room());
    pollfd writable{.fd = socket_, .events = POLLOUT, .revents = 0};
    const auto wait = std::chrono::ceil<Millis>(std::min(left, Micros{100'000}));
    ::poll(&writable, 1, static_cast<int>(wait.count()));
    if ((writable.revents & (POLLERR | POLLHUP)) != 0) {
      return done(AMQP_STATUS_CONNECTION_CLOSED, "publish");
    }
  }
  return {};
}

}  // namespace tributary::rabbitmq
