#include <algorithm>

#include <google/protobuf/arena.h>

#include <tributary/outbox/batch.h>
#include <tributary/outbox/batch.pb.h>

namespace tributary {
namespace {

std::uint32_t intern(wire::Batch& message, std::string_view type) {
  for (int i = 0; i < message.types_size(); ++i) {
    if (message.types(i) == type) return static_cast<std::uint32_t>(i);
  }
  message.add_types(std::string(type));
  return static_cast<std::uint32_t>(message.types_size() - 1);
}

tl::unexpected<Error> poison(std::string what) {
  return fail(ErrorKind::kPoison, "not a batch: " + std::move(what));
}

Result<void> check_range(const wire::Batch& message) {
  if (message.first_seq() == 0) return poison("its first seq is 0");
  if (message.last_seq() + 1 < message.first_seq())
    return poison("its last seq is before its first");
  if (message.last_seq() < message.first_seq() && message.deltas_size() > 0) {
    return poison("a heartbeat carries changes");
  }
  if (Hlc{message.hlc()} > kMaxHlc) return poison("its time is beyond the year 2100");
  if (message.former_actor() == message.actor() && message.former_final_seq() > 0) {
    return poison("its actor names itself as the one before");
  }
  const bool itself = std::ranges::any_of(
      message.earlier(), [&](const wire::Former& each) { return each.actor() == message.actor(); });
  if (itself || static_cast<std::size_t>(message.earlier_size()) >= kMostFormer) {
    return poison("it names its own actor as one before, or too many");
  }
  return {};
}

}  // namespace

std::vector<FormerActor> Batch::former() const {
  std::vector<FormerActor> all;
  if (predecessor) all.push_back(*predecessor);
  all.insert(all.end(), earlier.begin(), earlier.end());
  return all;
}

std::string encode(const Batch& batch) {
  google::protobuf::Arena arena;
  auto& message = *google::protobuf::Arena::CreateMessage<wire::Batch>(&arena);
  message.set_format(kBatchFormat);
  message.set_actor(batch.actor.value);
  message.set_origin(batch.origin.value);
  message.set_first_seq(batch.first_seq.value);
  message.set_last_seq(batch.last_seq.value);
  message.set_hlc(batch.hlc.value);
  if (batch.predecessor) {
    message.set_former_actor(batch.predecessor->actor.value);
    message.set_former_final_seq(batch.predecessor->final_seq.value);
  }
  for (const FormerActor& each : batch.earlier) {
    wire::Former& out = *message.add_earlier();
    out.set_actor(each.actor.value);
    out.set_final_seq(each.final_seq.value);
  }
  for (const ConsumedRows& rows : batch.rows) {
    wire::Rows& out = *message.add_rows();
    out.set_transaction(rows.transaction);
    out.set_first_id(rows.first_id);
    out.set_last_id(rows.last_id);
    out.set_tag(rows.tag);
  }
  for (const VersionVector& context : batch.contexts) message.add_contexts(context.bytes());
  for (const Delta& delta : batch.deltas) {
    wire::Delta& out = *message.add_deltas();
    out.set_key(delta.key);
    out.set_type(intern(message, delta.type));
    out.set_last_seq(delta.last_seq.value);
    out.set_body(delta.body);
  }
  return message.SerializeAsString();
}

Result<Batch> decode_batch(std::string_view bytes) {
  if (bytes.size() > kMaxBatchBytes) {
    return poison(std::to_string(bytes.size()) + " bytes, the limit is " +
                  std::to_string(kMaxBatchBytes));
  }
  google::protobuf::Arena arena;
  auto& message = *google::protobuf::Arena::CreateMessage<wire::Batch>(&arena);
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return poison("its " + std::to_string(bytes.size()) + " bytes do not parse");
  }
  if (message.format() == 0 || message.format() > kBatchFormat) {
    return poison("it has format " + std::to_string(message.format()) +
                  ", this program reads up to " + std::to_string(kBatchFormat) + "; upgrade it");
  }
  TRIBUTARY_TRY(check_range(message));
  Batch batch;
  batch.actor = ActorId{message.actor()};
  batch.origin = OriginName{std::move(*message.mutable_origin())};
  batch.first_seq = Seq{message.first_seq()};
  batch.last_seq = Seq{message.last_seq()};
  batch.hlc = Hlc{message.hlc()};
  if (message.former_actor() != 0) {
    batch.predecessor = {ActorId{message.former_actor()}, Seq{message.former_final_seq()}};
  }
  for (const wire::Former& each : message.earlier()) {
    batch.earlier.push_back({ActorId{each.actor()}, Seq{each.final_seq()}});
  }
  batch.rows.reserve(message.rows_size());
  for (const wire::Rows& rows : message.rows()) {
    batch.rows.push_back({rows.transaction(), rows.first_id(), rows.last_id(), rows.tag()});
  }
  for (const std::string& context : message.contexts()) {
    auto vector = VersionVector::from_bytes(context);
    if (!vector) return poison("a context does not decode");
    batch.contexts.push_back(std::move(*vector));
  }
  batch.deltas.reserve(message.deltas_size());
  for (wire::Delta& delta : *message.mutable_deltas()) {
    if (delta.type() >= static_cast<std::uint32_t>(message.types_size())) {
      return poison("a delta's type is not in its table");
    }
    if (delta.last_seq() < message.first_seq() || delta.last_seq() > message.last_seq()) {
      return poison("a delta's seq lies outside of the batch");
    }
    batch.deltas.push_back({std::move(*delta.mutable_key()), message.types(delta.type()),
                            Seq{delta.last_seq()}, std::move(*delta.mutable_body())});
  }
  return batch;
}

}  // namespace tributary
