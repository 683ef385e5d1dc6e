/// One AMQP connection with one channel, about one stream: frames in, frames out. A deadline starts
/// again whenever bytes move. Not for: what the frames mean to a writer or a reader.
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

#include <tributary/base/result.h>

#include "base/clock.h"
#include "connectors/changelog/rabbitmq/changelog.h"
#include "connectors/changelog/rabbitmq/dial.h"
#include "connectors/changelog/rabbitmq/party.h"
#include "connectors/changelog/rabbitmq/progress.h"

struct amqp_frame_t_;
struct amqp_rpc_reply_t_;

namespace tributary::rabbitmq {

/// The one channel each connection uses.
inline constexpr std::uint16_t kChannel = 1;

/// One thread at a time. After any error the connection is dead.
class Connection {
 public:
  /// Connects, logs in and opens the channel. `role` and `stream` stand in every message, and in
  /// the broker's list of connections.
  static Result<std::unique_ptr<Connection>> open(const Endpoint& endpoint, std::string role,
                                                  std::string stream);
  /// Takes leave of the broker if it listens, for at most half a second.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Waits up to `wait` for a frame; false: none came. A connection or channel closed by the broker
  /// is an error. `frame` is valid until release().
  Result<bool> next_frame(Millis wait, amqp_frame_t_& frame);
  /// Gives back the memory of frames dealt with.
  void release();

  /// Begins to publish to the party's stream, through the default exchange, with `mandatory` set,
  /// and sends what the kernel takes at once. Only when nothing is being sent.
  Result<void> publish(std::string_view body);
  /// Goes on sending; kTransient when the broker has taken nothing for the deadline.
  Result<void> send_more();
  /// Part of a message is still to be sent.
  [[nodiscard]] bool sending() const { return !unsent_.empty() || frames_unsent_ > 0; }
  /// Waits up to `wait` until there is something to read, or room to go on sending.
  void wait_for_socket(Millis wait) const;

  /// Acknowledges every delivery up to `delivery_tag`.
  Result<void> acknowledge(std::uint64_t delivery_tag);

  /// The outcome of one of the library's requests.
  Result<void> answered(const amqp_rpc_reply_t_& reply, std::string_view doing);
  /// A negative status of the library as an error, else success.
  Result<void> done(int status, std::string_view doing);

  [[nodiscard]] amqp_connection_state_t_* handle() const { return handle_.get(); }
  [[nodiscard]] int socket() const { return socket_; }
  [[nodiscard]] const Party& party() const { return party_; }
  [[nodiscard]] Millis deadline() const { return deadline_; }
  /// The broker has asked publishers to pause (connection.blocked).
  [[nodiscard]] bool blocked() const { return blocked_; }

 private:
  Connection(Handle handle, Party party, Millis deadline);
  Result<void> open_channel();
  Result<void> heed(const amqp_frame_t_& frame);
  Result<void> send_header_frames();
  Result<void> send_body_frame();
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] std::size_t room() const;
  Error took_nothing();
  Error dead(Error error);

  Handle handle_;
  Party party_;
  Millis deadline_;
  int socket_ = -1;
  bool blocked_ = false;
  bool dead_ = false;

  std::string message_;      ///< being sent
  std::string_view unsent_;  ///< of message_
  int frames_unsent_ = 0;    ///< before the body: 2 method and header, 1 header
  Progress sending_progress_;
};

}  // namespace tributary::rabbitmq
