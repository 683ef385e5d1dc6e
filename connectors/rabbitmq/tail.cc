#include <algorithm>

#include <tributary/connectors/rabbitmq/tail.h>

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#else
#include <amqp.h>
#endif

#include <tributary/connectors/rabbitmq/connection.h>
#include <tributary/connectors/rabbitmq/delivery.h>
#include <tributary/connectors/rabbitmq/stream.h>

namespace tributary::rabbitmq {

namespace {

constexpr Millis kSilenceOfEmpty{1000};

/// Reads one stream's end over its own connection.
class TailReader {
 public:
  TailReader(Connection& connection, const Endpoint& endpoint, const std::string& stream)
      : connection_(connection),
        stream_(stream),
        prefetch_(std::max<std::uint16_t>(endpoint.prefetch, 1)),
        deliveries_(connection.label()),
        until_(clock_.monotonic() + endpoint.deadline) {}

  Result<std::optional<ChangelogMessage>> read() {
    TRIBUTARY_ASSIGN(const std::uint64_t count, rough_count(connection_, stream_));
    TRIBUTARY_TRY(consume(connection_, stream_, {StartAt::Kind::kLastChunk, {}}, prefetch_));
    TRIBUTARY_ASSIGN(const bool any, wait_for_first(count));
    if (!any) return std::nullopt;
    // Credit that was used up may have kept the broker from sending more: give it back and ask
    // again.
    do {
      fresh_ = 0;
      TRIBUTARY_TRY(connection_.acknowledge(delivery_tag_));
      TRIBUTARY_TRY(read_to_barrier());
    } while (fresh_ >= prefetch_ && clock_.monotonic() < until_);
    return std::move(last_);
  }

 private:
  /// False: the stream is empty.
  Result<bool> wait_for_first(std::uint64_t count) {
    Micros patience = clock_.monotonic() + kSilenceOfEmpty;
    while (!last_) {
      if (clock_.monotonic() >= until_) {
        return fail(ErrorKind::kTransient, connection_.label() + ": " + stream_ +
                                               " holds messages, but none was delivered in time");
      }
      if (clock_.monotonic() >= patience) {
        if (count == 0) return false;
        TRIBUTARY_ASSIGN(count, rough_count(connection_, stream_));
        patience = clock_.monotonic() + kSilenceOfEmpty;
      }
      TRIBUTARY_TRY(take_frame(Millis{100}));
    }
    return true;
  }

  Result<void> read_to_barrier() {
    amqp_basic_qos_t barrier{};
    barrier.prefetch_count = prefetch_;
    TRIBUTARY_TRY(connection_.done(
        amqp_send_method(connection_.handle(), kChannel, AMQP_BASIC_QOS_METHOD, &barrier),
        "read the tail"));
    for (passed_barrier_ = false; !passed_barrier_;) {
      if (clock_.monotonic() >= until_) {
        return fail(ErrorKind::kTransient,
                    connection_.label() + ": the tail of " + stream_ + " did not arrive in time");
      }
      TRIBUTARY_TRY(take_frame(Millis{100}));
    }
    return {};
  }

  Result<void> take_frame(Millis wait) {
    amqp_frame_t frame;
    TRIBUTARY_ASSIGN(const bool any, connection_.next_frame(wait, frame));
    if (!any) return {};
    if (frame.frame_type == AMQP_FRAME_METHOD &&
        frame.payload.method.id == AMQP_BASIC_QOS_OK_METHOD) {
      passed_barrier_ = true;
    }
    TRIBUTARY_ASSIGN(auto delivery, deliveries_.feed(frame));
    connection_.release();
    if (!delivery) return {};
    delivery_tag_ = delivery->delivery_tag;
    last_ = std::move(delivery->message);
    ++fresh_;
    return {};
  }

  Connection& connection_;
  const std::string& stream_;
  std::uint16_t prefetch_;
  DeliveryAssembler deliveries_;
  SystemClock clock_;
  Micros until_;
  std::optional<ChangelogMessage> last_;
  std::uint64_t delivery_tag_ = 0;
  std::uint64_t fresh_ = 0;  ///< deliveries since the last acknowledgement
  bool passed_barrier_ = false;
};

}  // namespace

Result<std::optional<ChangelogMessage>> read_tail(const Endpoint& endpoint,
                                                  const std::string& stream) {
  TRIBUTARY_ASSIGN(const auto connection, Connection::open(endpoint, "tributary tail " + stream));
  return TailReader(*connection, endpoint, stream).read();
}

}  // namespace tributary::rabbitmq
