#include "connectors/changelog/rabbitmq/tail.h"

#include <algorithm>
#include <chrono>

#include <amqp.h>

#include "connectors/changelog/rabbitmq/connection.h"
#include "connectors/changelog/rabbitmq/delivery.h"
#include "connectors/changelog/rabbitmq/stream.h"

namespace tributary::rabbitmq {

namespace {

constexpr Millis kSilenceOfEmpty{100};
/// Bounds what the broker reads ahead for us; a chunk of many small messages takes some more
/// rounds.
constexpr std::uint16_t kPrefetch = 64;
/// A busy writer is not run after for ever: the chunk that was the last one when we came is over by
/// then, as no writer has so many messages unconfirmed.
constexpr std::uint64_t kLongestChunk = 16'384;

/// Reads one stream's end over its own connection.
class TailReader {
 public:
  TailReader(Connection& connection, const std::string& stream)
      : connection_(connection),
        stream_(stream),
        deliveries_(connection.party()),
        progress_(connection.socket(), Progress::Direction::kReceiving, connection.deadline()) {}

  Result<std::optional<ChangelogMessage>> read() {
    TRIBUTARY_ASSIGN(const std::uint64_t count, rough_count(connection_, stream_));
    TRIBUTARY_TRY(consume(connection_, stream_, {StartAt::Kind::kLastChunk, {}}, kPrefetch));
    TRIBUTARY_ASSIGN(const bool any, wait_for_first(count));
    if (!any) return std::nullopt;
    // Credit that was used up may have kept the broker from sending more: give it back and ask
    // again.
    const std::uint64_t enough = delivery_tag_ + kLongestChunk;
    do {
      fresh_ = 0;
      TRIBUTARY_TRY(connection_.acknowledge(delivery_tag_));
      TRIBUTARY_TRY(read_to_barrier());
    } while (fresh_ >= kPrefetch && delivery_tag_ < enough);
    return std::move(last_);
  }

 private:
  /// False: the stream is empty. The broker is asked to count again only while nothing arrives: on
  /// a slow link the answer would come behind the deliveries.
  Result<bool> wait_for_first(std::uint64_t count) {
    progress_.restart();  // the answers so far are no deliveries
    Micros patience = clock_.monotonic() + kSilenceOfEmpty;
    while (!last_) {
      if (progress_.stalled()) return fail(too_slow("it holds messages, but none is delivered"));
      if (clock_.monotonic() >= patience) {
        patience = clock_.monotonic() + kSilenceOfEmpty;
        if (progress_.idle()) {
          if (count == 0) return false;
          TRIBUTARY_ASSIGN(count, rough_count(connection_, stream_));
        }
      }
      const Micros left = std::max(Micros{0}, patience - clock_.monotonic());
      TRIBUTARY_TRY(take_frame(std::chrono::ceil<Millis>(left)));
    }
    return true;
  }

  Result<void> read_to_barrier() {
    amqp_basic_qos_t barrier{};
    barrier.prefetch_count = kPrefetch;
    TRIBUTARY_TRY(connection_.done(
        amqp_send_method(connection_.handle(), kChannel, AMQP_BASIC_QOS_METHOD, &barrier),
        "read the tail"));
    progress_.restart();
    for (passed_barrier_ = false; !passed_barrier_;) {
      if (progress_.stalled()) return fail(too_slow("its tail does not arrive"));
      TRIBUTARY_TRY(take_frame(Millis{100}));
    }
    return {};
  }

  Error too_slow(std::string_view what) {
    return {ErrorKind::kTransient, connection_.party().broker + ": " + stream_ + ": " +
                                       std::string(what) + "; nothing came for " +
                                       std::to_string(connection_.deadline().count()) + " ms"};
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
  DeliveryAssembler deliveries_;
  SystemClock clock_;
  Progress progress_;
  std::optional<ChangelogMessage> last_;
  std::uint64_t delivery_tag_ = 0;
  std::uint64_t fresh_ = 0;  ///< deliveries since the last acknowledgement
  bool passed_barrier_ = false;
};

}  // namespace

Result<std::optional<ChangelogMessage>> read_tail(const Endpoint& endpoint,
                                                  const std::string& stream) {
  TRIBUTARY_ASSIGN(const auto connection, Connection::open(endpoint, "tail", stream));
  return TailReader(*connection, stream).read();
}

}  // namespace tributary::rabbitmq
