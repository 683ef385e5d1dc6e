#include "connectors/changelog/rabbitmq/errors.h"

#include <amqp.h>
#include <amqp_framing.h>

namespace tributary::rabbitmq {

namespace {

std::string sentence(const Party& party, std::string_view doing, std::string_view what) {
  std::string text(party.broker);
  text += ": ";
  text += doing;
  text += ": ";
  text += what;
  return text;
}

std::string text_of(amqp_bytes_t bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

bool refused(const CloseReason& closing, std::uint32_t method) {
  return closing.class_id == method >> 16 && closing.method_id == (method & 0xffff);
}

std::string login_refused(const Party& party) {
  return "the broker refuses user \"" + party.user +
         "\" or its password; check username and password_file (or password_env) of this broker "
         "in the topology";
}

/// Which right is missing on what: RabbitMQ names the default exchange amq.default.
std::string right_refused(const Party& party, const CloseReason& closing) {
  std::string right = "read";
  std::string on = party.stream;
  if (refused(closing, AMQP_QUEUE_DECLARE_METHOD)) right = "configure";
  if (refused(closing, AMQP_BASIC_PUBLISH_METHOD)) {
    right = "write";
    on = "amq.default";
  }
  return "user \"" + party.user + "\" lacks the " + right + " permission on \"" + on +
         "\" in virtual host \"" + party.vhost +
         "\"; grant it on the broker (rabbitmqctl list_permissions -p " + party.vhost +
         " shows what it has)";
}

std::string access_refused(const Party& party, const CloseReason& closing) {
  const bool on_a_channel = closing.class_id == AMQP_QUEUE_DECLARE_METHOD >> 16 ||
                            closing.class_id == AMQP_BASIC_PUBLISH_METHOD >> 16;
  return on_a_channel ? right_refused(party, closing) : login_refused(party);
}

std::string vhost_refused(const Party& party) {
  return "virtual host \"" + party.vhost + "\" is missing, or user \"" + party.user +
         "\" has no permissions in it, or it takes no more connections; check the broker's URL, "
         "and "
         "rabbitmqctl list_permissions -p " +
         party.vhost;
}

constexpr std::string_view kTooLarge =
    "the message is larger than the broker takes; raise max_message_size in its rabbitmq.conf. "
    "Nothing is lost: batches wait in the outbox and are published then";

/// We set no property of a message that could be refused, so 406 for a publish is about its size.
bool too_large(const Party& party, const CloseReason& closing) {
  if (closing.code == AMQP_CONTENT_TOO_LARGE) return true;
  if (closing.code == AMQP_FRAME_ERROR) return party.role == "writer";
  return closing.code == AMQP_PRECONDITION_FAILED && refused(closing, AMQP_BASIC_PUBLISH_METHOD);
}

}  // namespace

CloseReason close_reason(const amqp_connection_close_t& close) {
  return {close.reply_code, text_of(close.reply_text), close.class_id, close.method_id};
}

CloseReason close_reason(const amqp_channel_close_t& close) {
  return {close.reply_code, text_of(close.reply_text), close.class_id, close.method_id};
}

std::optional<CloseReason> close_reason(const amqp_rpc_reply_t& reply) {
  if (reply.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION) return std::nullopt;
  if (reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
    return close_reason(*static_cast<const amqp_connection_close_t*>(reply.reply.decoded));
  }
  if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
    return close_reason(*static_cast<const amqp_channel_close_t*>(reply.reply.decoded));
  }
  return std::nullopt;
}

Error library_error(const Party& party, std::string_view doing, int status) {
  std::string text = sentence(party, doing, amqp_error_string2(status));
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

Error close_error(const Party& party, std::string_view doing, const CloseReason& closing) {
  const auto error = [&](ErrorKind kind, std::string_view what) {
    return Error{kind, sentence(party, doing, what) + " (" + std::to_string(closing.code) + " " +
                           closing.text + ")"};
  };
  if (too_large(party, closing)) return error(ErrorKind::kInvalid, kTooLarge);
  switch (closing.code) {
    case AMQP_ACCESS_REFUSED: return error(ErrorKind::kFatal, access_refused(party, closing));
    case AMQP_NOT_ALLOWED: return error(ErrorKind::kFatal, vhost_refused(party));
    case AMQP_NOT_IMPLEMENTED:
      return error(ErrorKind::kFatal, "the broker cannot do this; streams need RabbitMQ 3.9");
    case AMQP_NOT_FOUND:
      return error(ErrorKind::kTransient, "the stream is missing, or the node that has it is down");
    case AMQP_PRECONDITION_FAILED:
      // Without a method it is a consumer that was too slow to acknowledge: opening again helps.
      if (closing.class_id == 0) break;
      return error(ErrorKind::kInvalid, "the queue has another shape");
    case AMQP_RESOURCE_LOCKED:
      return error(ErrorKind::kInvalid, "the queue belongs to another connection alone");
    default: break;
  }
  return error(ErrorKind::kTransient, "closed by the broker");
}

Error reply_error(const Party& party, std::string_view doing, const amqp_rpc_reply_t& reply) {
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) {
    return library_error(party, doing, reply.library_error);
  }
  if (const auto closing = close_reason(reply)) return close_error(party, doing, *closing);
  return {ErrorKind::kTransient, sentence(party, doing, "the broker answered out of turn")};
}

}  // namespace tributary::rabbitmq
