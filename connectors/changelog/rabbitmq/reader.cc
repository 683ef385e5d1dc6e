#include "connectors/changelog/rabbitmq/reader.h"

#include <algorithm>
#include <limits>

#include <amqp.h>

#include "connectors/changelog/rabbitmq/stream.h"
#include "connectors/changelog/rabbitmq/tail.h"

namespace tributary::rabbitmq {

namespace {

/// A stream that holds the offset answers within a few milliseconds.
constexpr Millis kAttachPatience{250};
/// The broker closes a channel whose deliveries stay unacknowledged for half an hour.
constexpr Micros kIdleAcknowledge{1'000'000};

Result<std::unique_ptr<Connection>> attach(const Endpoint& endpoint, const std::string& stream,
                                           StartAt start, std::uint16_t prefetch) {
  TRIBUTARY_ASSIGN(auto connection, Connection::open(endpoint, "reader", stream));
  TRIBUTARY_TRY(consume(*connection, stream, start, prefetch));
  return connection;
}

}  // namespace

Result<std::unique_ptr<ChangelogReader>> StreamReader::open(const Endpoint& endpoint,
                                                            const std::string& stream,
                                                            std::optional<Offset> after) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::uint16_t prefetch = PrefetchFit::first(endpoint.prefetch);
  if (after && after->value <= kLargest) {
    TRIBUTARY_ASSIGN(auto connection,
                     attach(endpoint, stream, {StartAt::Kind::kOffset, *after}, prefetch));
    auto reader = std::make_unique<StreamReader>(endpoint, std::move(connection), prefetch, after);
    TRIBUTARY_ASSIGN(const bool heard, reader->hears_something(kAttachPatience));
    if (heard) return reader;
    TRIBUTARY_ASSIGN(const auto last, read_tail(endpoint, stream));
    if (last && last->offset >= *after) return reader;  // only slow
  }
  TRIBUTARY_ASSIGN(auto connection,
                   attach(endpoint, stream, {StartAt::Kind::kFirst, {}}, prefetch));
  return std::make_unique<StreamReader>(endpoint, std::move(connection), prefetch, std::nullopt);
}

StreamReader::StreamReader(const Endpoint& endpoint, std::unique_ptr<Connection> connection,
                           std::uint16_t prefetch, std::optional<Offset> after)
    : endpoint_(endpoint),
      connection_(std::move(connection)),
      deliveries_(connection_->party()),
      fit_(prefetch, endpoint.prefetch, endpoint.prefetch_bytes),
      after_(after),
      last_acknowledged_(clock_.monotonic()) {}

Result<bool> StreamReader::hears_something(Millis wait) {
  TRIBUTARY_ASSIGN(kept_, next_delivery(wait));
  return kept_.has_value();
}

Result<std::optional<Delivery>> StreamReader::next_delivery(Millis wait) {
  if (kept_) return std::exchange(kept_, std::nullopt);
  const Micros until = wait > Millis{0} ? clock_.monotonic() + wait : Micros{0};
  Millis left = wait;
  amqp_frame_t frame;
  while (true) {
    TRIBUTARY_ASSIGN(const bool any, connection_->next_frame(left, frame));
    if (any) {
      TRIBUTARY_ASSIGN(auto delivery, deliveries_.feed(frame));
      connection_->release();
      if (delivery) return delivery;
      continue;
    }
    if (wait <= Millis{0}) return std::nullopt;
    left = std::chrono::ceil<Millis>(until - clock_.monotonic());
    if (left <= Millis{0}) return std::nullopt;
  }
}

Result<std::optional<ChangelogMessage>> StreamReader::next(Millis wait) {
  while (true) {
    TRIBUTARY_ASSIGN(auto delivery, next_delivery(wait));
    if (!delivery) {
      TRIBUTARY_TRY(acknowledge_when_idle());
      return std::nullopt;
    }
    delivery_tag_ = delivery->delivery_tag;
    ++unacknowledged_;
    const bool fresh = !after_ || delivery->message.offset > *after_;
    if (fresh) after_ = delivery->message.offset;
    TRIBUTARY_TRY(fit_prefetch(delivery->message.bytes.size()));
    if (fresh) return std::move(delivery->message);
  }
}

Result<void> StreamReader::fit_prefetch(std::size_t bytes) {
  if (const auto better = fit_.received(bytes)) return attach_again(*better);
  if (unacknowledged_ * 2 >= fit_.prefetch()) return acknowledge_some();
  return {};
}

/// What was delivered and not yet read comes once more.
Result<void> StreamReader::attach_again(std::uint16_t prefetch) {
  const std::string stream = connection_->party().stream;
  connection_.reset();
  const StartAt start = after_ ? StartAt{StartAt::Kind::kOffset, *after_} : StartAt{};
  TRIBUTARY_ASSIGN(connection_, attach(endpoint_, stream, start, prefetch));
  deliveries_ = DeliveryAssembler(connection_->party());
  fit_ = PrefetchFit(prefetch, endpoint_.prefetch, endpoint_.prefetch_bytes);
  unacknowledged_ = 0;
  return {};
}

Result<void> StreamReader::acknowledge_some() {
  TRIBUTARY_TRY(connection_->acknowledge(delivery_tag_));
  unacknowledged_ = 0;
  last_acknowledged_ = clock_.monotonic();
  return {};
}

Result<void> StreamReader::acknowledge_when_idle() {
  if (unacknowledged_ == 0 || clock_.monotonic() - last_acknowledged_ < kIdleAcknowledge) return {};
  return acknowledge_some();
}

}  // namespace tributary::rabbitmq
