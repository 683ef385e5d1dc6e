#include <tributary/connectors/rabbitmq/errors.h>

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#else
#include <amqp.h>
#endif

namespace tributary::rabbitmq {

namespace {

std::string sentence(std::string_view where, std::string_view doing, std::string_view what) {
  std::string text(where);
  text += ": ";
  text += doing;
  text += ": ";
  text += what;
  return text;
}

std::string_view view(amqp_bytes_t bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

}  // namespace

Error library_error(std::string_view where, std::string_view doing, int status) {
  std::string text = sentence(where, doing, amqp_error_string2(status));
  switch (status) {
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
      return {ErrorKind::kFatal,
              text + "; check the broker's certificate, the host name and the CA file"};
    case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
      return {ErrorKind::kFatal, text + "; enable PLAIN in the broker's auth_mechanisms"};
    case AMQP_STATUS_SSL_CONNECTION_FAILED:
      return {ErrorKind::kTransient, text + "; is this the broker's TLS port?"};
    default: return {ErrorKind::kTransient, std::move(text)};
  }
}

Error close_error(std::string_view where, std::string_view doing, std::uint16_t code,
                  std::string_view said) {
  std::string text = sentence(where, doing, said);
  switch (code) {
    case AMQP_ACCESS_REFUSED:
      return {ErrorKind::kFatal,
              text + "; check this broker's username, password and permissions in the topology"};
    case AMQP_NOT_ALLOWED:
      return {ErrorKind::kFatal, text + "; check the virtual host in the broker's URL"};
    case AMQP_PRECONDITION_FAILED:
    case AMQP_RESOURCE_LOCKED: return {ErrorKind::kInvalid, std::move(text)};
    default: return {ErrorKind::kTransient, std::move(text)};
  }
}

Error reply_error(std::string_view where, std::string_view doing, const amqp_rpc_reply_t& reply) {
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
    return library_error(where, doing, reply.library_error);
  }
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
    if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
      const auto& close = *static_cast<const amqp_connection_close_t*>(reply.reply.decoded);
      return close_error(where, doing, close.reply_code, view(close.reply_text));
    }
    if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
      const auto& close = *static_cast<const amqp_channel_close_t*>(reply.reply.decoded);
      return close_error(where, doing, close.reply_code, view(close.reply_text));
    }
  }
  return {ErrorKind::kTransient, sentence(where, doing, "the broker answered out of turn")};
}

}  // namespace tributary::rabbitmq
