/// The sending half of Connection: never more at once than the kernel takes without blocking.
#include <algorithm>
#include <array>

#include <amqp.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/socket.h>

#include "connectors/changelog/rabbitmq/connection.h"

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
/// What is kept of the memory of a message that was sent.
constexpr std::size_t kKeptCapacity = 1 << 20;

amqp_bytes_t bytes(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

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

bool Connection::has_room() const { return room() >= kSmallestPiece + kFrameOverhead; }

Result<void> Connection::publish(std::string_view body) {
  const std::size_t frame_max = static_cast<std::size_t>(amqp_get_frame_max(handle()));
  const std::size_t frames = body.size() / (frame_max - kFrameOverhead) + 1;
  if (room() >= body.size() + frames * kFrameOverhead + kMethodOverhead) {
    const amqp_basic_properties_t none{};
    return done(amqp_basic_publish(handle(), kChannel, amqp_empty_bytes, bytes(party_.stream), 1, 0,
                                   &none, bytes(body)),
                "publish");
  }
  message_.assign(body);
  unsent_ = message_;
  frames_unsent_ = 2;
  sending_progress_.restart();
  return send_more();
}

Result<void> Connection::send_more() {
  while (sending() && has_room()) {
    TRIBUTARY_TRY(frames_unsent_ > 0 ? send_header_frames() : send_body_frame());
    sending_progress_.restart();
  }
  if (sending()) {
    if (sending_progress_.stalled()) return fail(took_nothing());
    return {};
  }
  message_.clear();
  if (message_.capacity() > kKeptCapacity) message_.shrink_to_fit();
  return {};
}

Result<void> Connection::send_header_frames() {
  amqp_basic_publish_t method{};
  method.routing_key = bytes(party_.stream);
  method.mandatory = 1;
  const amqp_basic_properties_t none{};
  amqp_frame_t frame{};
  frame.channel = kChannel;
  if (frames_unsent_ == 2) {
    frame.frame_type = AMQP_FRAME_METHOD;
    frame.payload.method = {AMQP_BASIC_PUBLISH_METHOD, &method};
  } else {
    frame.frame_type = AMQP_FRAME_HEADER;
    frame.payload.properties = {AMQP_BASIC_CLASS, unsent_.size(),
                                const_cast<amqp_basic_properties_t*>(&none), amqp_empty_bytes};
  }
  --frames_unsent_;
  return done(amqp_send_frame(handle(), &frame), "publish");
}

Result<void> Connection::send_body_frame() {
  const std::size_t largest =
      static_cast<std::size_t>(amqp_get_frame_max(handle())) - kFrameOverhead;
  const std::size_t size = std::min({unsent_.size(), largest, room() - kFrameOverhead});
  amqp_frame_t frame{};
  frame.channel = kChannel;
  frame.frame_type = AMQP_FRAME_BODY;
  frame.payload.body_fragment = bytes(unsent_.substr(0, size));
  unsent_.remove_prefix(size);
  return done(amqp_send_frame(handle(), &frame), "publish");
}

void Connection::wait_for_socket(Millis wait) const {
  // The kernel calls a socket writable when a third of its buffer is free; room() keeps a quarter.
  const short events = sending() ? POLLIN | POLLOUT : POLLIN;
  pollfd socket{.fd = socket_, .events = events, .revents = 0};
  ::poll(&socket, 1, static_cast<int>(wait.count()));
}

Error Connection::took_nothing() {
  amqp_frame_t frame;  // connection.blocked may still wait to be read
  for (auto more = next_frame(Millis{0}, frame); more && *more;)
    more = next_frame(Millis{0}, frame);
  return dead({ErrorKind::kTransient,
               party_.broker + ": publish to " + party_.stream + ": the broker took nothing for " +
                   std::to_string(deadline_.count()) + " ms" +
                   (blocked_ ? "; it blocks publishers: check its memory and disk alarms"
                             : "; check the network and the broker's alarms")});
}

}  // namespace tributary::rabbitmq
