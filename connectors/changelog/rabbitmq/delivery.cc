#include "connectors/changelog/rabbitmq/delivery.h"

#include <algorithm>

#include <amqp.h>

namespace tributary::rabbitmq {

namespace {

/// RabbitMQ's own default limit; a larger message is read all the same, without a reservation.
constexpr std::uint64_t kLargestReserved = 128ULL << 20;

std::optional<Offset> stream_offset(const amqp_basic_properties_t& properties) {
  if ((properties._flags & AMQP_BASIC_HEADERS_FLAG) == 0) return std::nullopt;
  for (int i = 0; i < properties.headers.num_entries; ++i) {
    const amqp_table_entry_t& entry = properties.headers.entries[i];
    const std::string_view key(static_cast<const char*>(entry.key.bytes), entry.key.len);
    if (key != "x-stream-offset") continue;
    if (entry.value.kind == AMQP_FIELD_KIND_I64 || entry.value.kind == AMQP_FIELD_KIND_U64) {
      return Offset{entry.value.value.u64};
    }
    if (entry.value.kind == AMQP_FIELD_KIND_I32 && entry.value.value.i32 >= 0) {
      return Offset{static_cast<std::uint64_t>(entry.value.value.i32)};
    }
  }
  return std::nullopt;
}

}  // namespace

Result<void> DeliveryAssembler::begin(const amqp_frame_t& frame) {
  const auto& properties =
      *static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded);
  const std::optional<Offset> offset = stream_offset(properties);
  if (!offset) {
    return fail(ErrorKind::kInvalid,
                party_.broker + ": " + party_.stream +
                    ": a delivery carries no stream offset, so the queue is not a stream: somebody "
                    "else made it. Find out whose it is; nothing of ours is in it");
  }
  current_.message.offset = *offset;
  body_size_ = frame.payload.properties.body_size;
  current_.message.bytes.reserve(std::min(body_size_, kLargestReserved));
  has_header_ = true;
  return {};
}

std::optional<Delivery> DeliveryAssembler::finish_if_whole() {
  if (!has_header_ || current_.message.bytes.size() < body_size_) return std::nullopt;
  has_header_ = false;
  return std::exchange(current_, Delivery{});
}

Result<std::optional<Delivery>> DeliveryAssembler::feed(const amqp_frame_t& frame) {
  switch (frame.frame_type) {
    case AMQP_FRAME_METHOD: {
      const amqp_method_t& method = frame.payload.method;
      if (method.id == AMQP_BASIC_CANCEL_METHOD) {
        return fail(ErrorKind::kTransient, party_.broker + ": " + party_.stream +
                                               ": the broker cancelled the consumer; the stream "
                                               "was deleted or its node went away");
      }
      if (method.id == AMQP_BASIC_DELIVER_METHOD) {
        current_.delivery_tag =
            static_cast<const amqp_basic_deliver_t*>(method.decoded)->delivery_tag;
      }
      return std::nullopt;
    }
    case AMQP_FRAME_HEADER: TRIBUTARY_TRY(begin(frame)); return finish_if_whole();
    case AMQP_FRAME_BODY: {
      const amqp_bytes_t& piece = frame.payload.body_fragment;
      current_.message.bytes.append(static_cast<const char*>(piece.bytes), piece.len);
      return finish_if_whole();
    }
    default: return std::nullopt;
  }
}

}  // namespace tributary::rabbitmq
