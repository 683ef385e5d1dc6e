#include "connectors/changelog/rabbitmq/connection.h"

#include <amqp.h>
#include <sys/time.h>

#include "connectors/changelog/rabbitmq/errors.h"

namespace tributary::rabbitmq {

namespace {

timeval to_timeval(Millis time) {
  if (time < Millis{0}) time = Millis{0};
  return {.tv_sec = time.count() / 1000, .tv_usec = time.count() % 1000 * 1000};
}

}  // namespace

Connection::Connection(Handle handle, Party party, Millis deadline)
    : handle_(std::move(handle)),
      party_(std::move(party)),
      deadline_(deadline),
      socket_(amqp_get_sockfd(handle_.get())),
      sending_progress_(socket_, Progress::Direction::kSending, deadline) {}

Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& endpoint, std::string role,
                                                     std::string stream) {
  TRIBUTARY_ASSIGN(const Address address, parse_address(endpoint));
  Party party{.broker = address.label(),
              .vhost = address.vhost,
              .user = address.username,
              .stream = std::move(stream),
              .role = std::move(role)};
  TRIBUTARY_ASSIGN(Handle handle, dial(endpoint, address, party));
  std::unique_ptr<Connection> connection(
      new Connection(std::move(handle), std::move(party), endpoint.deadline));
  TRIBUTARY_TRY(connection->open_channel());
  return connection;
}

Result<void> Connection::open_channel() {
  amqp_channel_open(handle(), kChannel);
  return answered(amqp_get_rpc_reply(handle()), "open a channel");
}

Connection::~Connection() {
  if (dead_ || blocked_ || sending() || room() < 1024) return;
  amqp_connection_close_t close{};
  close.reply_code = AMQP_REPLY_SUCCESS;
  close.reply_text = amqp_cstring_bytes("done");
  if (amqp_send_method(handle(), 0, AMQP_CONNECTION_CLOSE_METHOD, &close) != AMQP_STATUS_OK) return;
  // Without the library's own close, which would keep every delivery on its way in memory.
  const Micros until = SystemClock().monotonic() + Millis{500};
  while (SystemClock().monotonic() < until) {
    const timeval wait = to_timeval(Millis{100});
    amqp_frame_t frame;
    const int status = amqp_simple_wait_frame_noblock(handle(), &frame, &wait);
    if (status == AMQP_STATUS_TIMEOUT) continue;
    if (status != AMQP_STATUS_OK) return;
    if (frame.channel == 0 && frame.frame_type == AMQP_FRAME_METHOD &&
        frame.payload.method.id == AMQP_CONNECTION_CLOSE_OK_METHOD) {
      return;
    }
    release();
  }
}

Error Connection::dead(Error error) {
  dead_ = true;
  return error;
}

Result<void> Connection::answered(const amqp_rpc_reply_t& reply, std::string_view doing) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
  return fail(dead(reply_error(party_, doing, reply)));
}

Result<void> Connection::done(int status, std::string_view doing) {
  if (status >= AMQP_STATUS_OK) return {};
  return fail(dead(library_error(party_, doing, status)));
}

Result<void> Connection::heed(const amqp_frame_t& frame) {
  if (frame.frame_type != AMQP_FRAME_METHOD) return {};
  const amqp_method_t& method = frame.payload.method;
  switch (method.id) {
    case AMQP_CONNECTION_BLOCKED_METHOD: blocked_ = true; return {};
    case AMQP_CONNECTION_UNBLOCKED_METHOD: blocked_ = false; return {};
    case AMQP_CONNECTION_CLOSE_METHOD: {
      const auto& close = *static_cast<const amqp_connection_close_t*>(method.decoded);
      return fail(
          dead(close_error(party_, party_.role + " of " + party_.stream, close_reason(close))));
    }
    case AMQP_CHANNEL_CLOSE_METHOD: {
      const auto& close = *static_cast<const amqp_channel_close_t*>(method.decoded);
      return fail(
          dead(close_error(party_, party_.role + " of " + party_.stream, close_reason(close))));
    }
    default: return {};
  }
}

Result<bool> Connection::next_frame(Millis wait, amqp_frame_t& frame) {
  const timeval limit = to_timeval(wait);
  const int status = amqp_simple_wait_frame_noblock(handle(), &frame, &limit);
  if (status == AMQP_STATUS_TIMEOUT) return false;
  TRIBUTARY_TRY(done(status, "receive"));
  TRIBUTARY_TRY(heed(frame));
  return true;
}

void Connection::release() { amqp_maybe_release_buffers(handle()); }

Result<void> Connection::acknowledge(std::uint64_t delivery_tag) {
  return done(amqp_basic_ack(handle(), kChannel, delivery_tag, 1), "acknowledge");
}

}  // namespace tributary::rabbitmq
