#include "connectors/changelog/rabbitmq/writer.h"

#include <algorithm>

#include <amqp.h>

namespace tributary::rabbitmq {

namespace {

/// The longest wait for room or news before progress is judged again.
constexpr Millis kSocketWait{100};

}  // namespace

Result<std::unique_ptr<ChangelogWriter>> StreamWriter::open(const Endpoint& endpoint,
                                                            std::string stream) {
  TRIBUTARY_ASSIGN(auto connection, Connection::open(endpoint, "writer", std::move(stream)));
  amqp_confirm_select(connection->handle(), kChannel);
  TRIBUTARY_TRY(connection->answered(amqp_get_rpc_reply(connection->handle()), "ask for confirms"));
  return std::make_unique<StreamWriter>(std::move(connection));
}

StreamWriter::StreamWriter(std::unique_ptr<Connection> connection)
    : connection_(std::move(connection)) {}

Result<void> StreamWriter::publish(std::uint64_t tag, std::string_view bytes) {
  while (connection_->sending()) {
    connection_->wait_for_socket(kSocketWait);
    TRIBUTARY_TRY(connection_->send_more());
  }
  largest_ = std::max(largest_, bytes.size());
  TRIBUTARY_TRY(connection_->publish(bytes));
  window_.published(tag);
  return {};
}

Error StreamWriter::not_sent(std::string_view what) const {
  const Party& party = connection_->party();
  return {ErrorKind::kTransient, party.broker + ": publish to " + party.stream + ": " +
                                     std::string(what) + "; it counts as not sent"};
}

/// A broker that refuses a message as too large does not say which.
Error StreamWriter::with_size(Error error) const {
  if (error.kind == ErrorKind::kInvalid) {
    error.message += "; the largest message sent had " + std::to_string(largest_) + " bytes";
  }
  return error;
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
  auto through = wait_for_news(wait);
  if (!through) return fail(with_size(std::move(through).error()));
  return through;
}

Result<std::uint64_t> StreamWriter::wait_for_news(Millis wait) {
  const SystemClock clock;
  const Micros until = clock.monotonic() + wait;
  const std::uint64_t before = window_.through();
  const bool was_blocked = blocked();
  amqp_frame_t frame;
  while (true) {
    TRIBUTARY_TRY(connection_->send_more());
    const bool news = window_.through() != before || blocked() != was_blocked;
    const Micros left = news || wait <= Millis{0} ? Micros{0} : until - clock.monotonic();
    // What is still to be sent must not wait for something to read.
    const auto quiet = connection_->sending() ? Millis{0} : std::chrono::ceil<Millis>(left);
    TRIBUTARY_ASSIGN(const bool any, connection_->next_frame(quiet, frame));
    if (!any && (news || left <= Micros{0})) return window_.through();
    if (!any && connection_->sending()) {
      connection_->wait_for_socket(std::min(kSocketWait, std::chrono::ceil<Millis>(left)));
    }
    if (!any) continue;
    TRIBUTARY_TRY(heed(frame));
    connection_->release();
  }
}

}  // namespace tributary::rabbitmq
