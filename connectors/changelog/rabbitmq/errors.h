/// What rabbitmq-c and the broker report, as errors of this program. Decided by reply codes and by
/// the method that was refused, never by the broker's words, which are only passed on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tributary/base/result.h>

#include "connectors/changelog/rabbitmq/party.h"

struct amqp_rpc_reply_t_;
struct amqp_connection_close_t_;
struct amqp_channel_close_t_;

namespace tributary::rabbitmq {

/// connection.close or channel.close.
struct CloseReason {
  std::uint16_t code = 0;
  std::string text;
  std::uint16_t class_id = 0;   ///< of the method that was refused; 0: of none
  std::uint16_t method_id = 0;  ///< ditto
};

CloseReason close_reason(const amqp_connection_close_t_& close);
CloseReason close_reason(const amqp_channel_close_t_& close);

/// What closed the connection or channel; nullopt when the reply says something else.
std::optional<CloseReason> close_reason(const amqp_rpc_reply_t_& reply);

/// A negative status of rabbitmq-c. kTransient, except for a broker that cannot be trusted: kFatal.
Error library_error(const Party& party, std::string_view doing, int status);

/// kFatal: a login or a right is refused; kInvalid: a queue of another shape, or a message larger
/// than the broker takes; else kTransient (a missing stream, too: declaring makes it).
Error close_error(const Party& party, std::string_view doing, const CloseReason& closing);

/// An answer that is not AMQP_RESPONSE_NORMAL.
Error reply_error(const Party& party, std::string_view doing, const amqp_rpc_reply_t_& reply);

}  // namespace tributary::rabbitmq
