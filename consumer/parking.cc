#include <tributary/consumer/parking.h>

namespace tributary {
namespace {

/// Zero-padded, so that ids sort in the order of application.
std::string padded(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return std::string(20 - digits.size(), '0') + digits;
}

}  // namespace

Parked park_message(const Received& received, std::string reason, Micros now) {
  return {.id = received.origin.value + "/message/" + padded(received.offset.value),
          .origin = received.origin,
          .actor = {},
          .first_seq = {},
          .last_seq = {},
          .key = {},
          .reason = std::move(reason),
          .bytes = received.raw,
          .parked_at = now};
}

Parked park_delta(const DeltaRef& ref, std::string reason, Micros now) {
  const Batch& batch = *ref.batch;
  const Batch alone{.actor = batch.actor,
                    .origin = batch.origin,
                    .first_seq = batch.first_seq,
                    .last_seq = batch.last_seq,
                    .hlc = batch.hlc,
                    .contexts = batch.contexts,
                    .deltas = {*ref.delta}};
  return {.id = batch.origin.value + "/" + batch.actor.hex() + "/" +
                padded(ref.delta->last_seq.value) + "/" + ref.delta->key,
          .origin = batch.origin,
          .actor = batch.actor,
          .first_seq = batch.first_seq,
          .last_seq = batch.last_seq,
          .key = ref.delta->key,
          .reason = std::move(reason),
          .bytes = encode(alone),
          .parked_at = now};
}

}  // namespace tributary
