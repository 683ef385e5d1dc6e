/// One AMQP connection with one channel: frames in, frames out, each within a deadline.
/// Not for: what the frames mean to a writer or a reader.
///
/// rabbitmq-c sends with no time limit, and a broker that blocks publishers stops reading, so a
/// plain publish may hang for ever. Therefore nothing is handed to the library unless the kernel
/// has room for it (SO_MEMINFO), and a quarter of the send buffer always stays free for heartbeats,
/// which the library sends on its own. Rejected: SO_SNDTIMEO (the sockets are non-blocking) and
/// TCP_USER_TIMEOUT (it kills a connection that is merely blocked).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <tributary/base/clock.h>
#include <tributary/base/result.h>
#include <tributary/connectors/rabbitmq/changelog.h>
#include <tributary/connectors/rabbitmq/dial.h>

struct amqp_frame_t_;
struct amqp_rpc_reply_t_;

namespace tributary::rabbitmq {

/// The one channel each connection uses.
inline constexpr std::uint16_t kChannel = 1;

/// One thread at a time. After any error the connection is dead.
class Connection {
 public:
  /// Connects, logs in and opens the channel.
  static Result<std::unique_ptr<Connection>> open(const Endpoint& endpoint,
                                                  std::string_view purpose);
  /// Takes leave of the broker if it listens, for at most half a second.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Waits up to `wait` for a frame; false: none came. A connection or channel closed by the broker
  /// is an error. `frame` is valid until release().
  Result<bool> next_frame(Millis wait, amqp_frame_t_& frame);
  /// Gives back the memory of frames dealt with.
  void release();

  /// Publishes through the default exchange, with `mandatory` set.
  Result<void> publish(const std::string& queue, std::string_view body);
  /// Acknowledges every delivery up to `delivery_tag`.
  Result<void> acknowledge(std::uint64_t delivery_tag);

  /// The outcome of one of the library's requests.
  Result<void> answered(const amqp_rpc_reply_t_& reply, std::string_view doing);
  /// A negative status of the library as an error, else success.
  Result<void> done(int status, std::string_view doing);

  [[nodiscard]] amqp_connection_state_t_* handle() const { return handle_.get(); }
  [[nodiscard]] const std::string& label() const { return label_; }
  [[nodiscard]] Millis deadline() const { return deadline_; }
  /// The broker has asked publishers to pause (connection.blocked).
  [[nodiscard]] bool blocked() const { return blocked_; }

 private:
  Connection(Handle handle, std::string label, Millis deadline);
  Result<void> open_channel();
  Result<void> heed(const amqp_frame_t_& frame);
  Result<void> publish_in_pieces(const std::string& queue, std::string_view body);
  Result<void> wait_for_room(std::int64_t until_us);
  Error no_room();
  Result<void> send_piece(const amqp_frame_t_& frame, std::int64_t until_us);
  [[nodiscard]] std::size_t room() const;
  Error dead(Error error);

  Handle handle_;
  std::string label_;
  Millis deadline_;
  int socket_ = -1;
  bool blocked_ = false;
  bool dead_ = false;
};

}  // namespace tributary::rabbitmq
