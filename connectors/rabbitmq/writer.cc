#include <tributary/connectors/rabbitmq/writer.h>

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#else
#include <amqp.h>
#endif

namespace tributary::rabbitmq {

Result<std::unique_ptr<ChangelogWriter>> StreamWriter::open(const Endpoint& endpoint,
                                                            std::string stream) {
  TRIBUTARY_ASSIGN(auto connection, Connection::open(endpoint, "tributary writer " + stream));
  amqp_confirm_select(connection->handle(), kChannel);
  TRIBUTARY_TRY(connection->answered(amqp_get_rpc_reply(connection->handle()), "ask for confirms"));
  return std::make_unique<StreamWriter>(std::move(connection), std::move(stream));
}

StreamWriter::StreamWriter(std::unique_ptr<Connection> connection, std::string stream)
    : connection_(std::move(connection)), stream_(std::move(stream)) {}

Result<void> StreamWriter::publish(std::uint64_t tag, std::string_view bytes) {
  TRIBUTARY_TRY(connection_->publish(stream_, bytes));
  window_.published(tag);
  return {};
}

Error StreamWriter::not_sent(std::string_view what) const {
  return {ErrorKind::kTransient, connection_->label() + ": publish to " + stream_ + ": " +
                                     std::string(what) + "; it counts as not sent"};
}

Result<void> StreamWriter::heed(const amqp_frame_t& frame) {
  if (frame.frame_type != AMQP_FRAME_METHOD) return {};
  const amqp_method_t& method = frame.payload.method;
  switch (method.id) {
    case AMQP_BASIC_ACK_METHOD: {
      const auto& acked = *static_cast<const amqp_basic_ack_t*>(method.decoded);
      window_.acked(acked.delivery_tag, acked.multiple != 0);
      return {};
    }
    case AMQP_BASIC_NACK_METHOD: return fail(not_sent("refused by the broker (nack)"));
    case AMQP_BASIC_RETURN_METHOD: {
      const auto& returned = *static_cast<const amqp_basic_return_t*>(method.decoded);
      const std::string_view reason(static_cast<const char*>(returned.reply_text.bytes),
                                    returned.reply_text.len);
      return fail(not_sent("returned (" + std::string(reason) + "): the stream is missing"));
    }
    default: return {};
  }
}

Result<std::uint64_t> StreamWriter::confirmed(Millis wait) {
  const SystemClock clock;
  const Micros until = clock.monotonic() + wait;
  const std::uint64_t before = window_.through();
  const bool was_blocked = blocked();
  amqp_frame_t frame;
  while (true) {
    const bool news = window_.through() != before || blocked() != was_blocked;
    const Micros left = news || wait <= Millis{0} ? Micros{0} : until - clock.monotonic();
    TRIBUTARY_ASSIGN(const bool any,
                     connection_->next_frame(std::chrono::ceil<Millis>(left), frame));
    if (!any && (news || left <= Micros{0})) return window_.through();
    if (!any) continue;
    TRIBUTARY_TRY(heed(frame));
    connection_->release();
  }
}

}  // namespace tributary::rabbitmq
