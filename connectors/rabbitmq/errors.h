/// What rabbitmq-c and the broker report, as errors of this program.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tributary/base/result.h>

struct amqp_rpc_reply_t_;

namespace tributary::rabbitmq {

/// A negative status of rabbitmq-c. kTransient, except for a broker that cannot be trusted: kFatal.
Error library_error(std::string_view where, std::string_view doing, int status);

/// connection.close or channel.close. kFatal: credentials or permissions; kInvalid: another shape
/// of queue; else kTransient (a missing stream, too: declaring makes it).
Error close_error(std::string_view where, std::string_view doing, std::uint16_t code,
                  std::string_view text);

/// An answer that is not AMQP_RESPONSE_NORMAL.
Error reply_error(std::string_view where, std::string_view doing, const amqp_rpc_reply_t_& reply);

}  // namespace tributary::rabbitmq
