#include "outbox/batch/batch.h"

#include <algorithm>

#include <google/protobuf/arena.h>
#include <xxhash.h>

#include "outbox/batch/batch.pb.h"

namespace tributary {
namespace {

/// No origin gets there: a million changes a second for nine years.
constexpr std::uint64_t kMostSeq = std::uint64_t{1} << 48;

std::uint32_t intern(wire::Batch& message, std::string_view type) {
  for (int i = 0; i < message.types_size(); ++i) {
    if (message.types(i) == type) return static_cast<std::uint32_t>(i);
  }
  message.add_types(std::string(type));
  return static_cast<std::uint32_t>(message.types_size() - 1);
}

/// Rows of one transaction whose ids follow each other stand together, each with its tag, or all
/// with one: a run that has one tag grows no more by rows of another.
void add_rows(wire::Batch& message, const ConsumedRows& rows) {
  const bool single = rows.first_id == rows.last_id;
  if (message.rows_size() > 0 && single) {
    wire::Rows& last = *message.mutable_rows(message.rows_size() - 1);
    const bool each = last.last_id() - last.first_id() + 1 == last.tags_size();
    if (each && last.transaction() == rows.transaction && last.last_id() + 1 == rows.first_id) {
      last.set_last_id(rows.last_id);
      last.add_tags(rows.tag);
      return;
    }
  }
  wire::Rows& out = *message.add_rows();
  out.set_transaction(rows.transaction);
  out.set_first_id(rows.first_id);
  out.set_last_id(rows.last_id);
  out.add_tags(rows.tag);
}

void take_rows(const wire::Rows& message, std::vector<ConsumedRows>& rows) {
  if (message.tags_size() == 1) {
    rows.push_back({message.transaction(), message.first_id(), message.last_id(), message.tags(0)});
    return;
  }
  std::int64_t id = message.first_id();
  for (const std::uint64_t tag : message.tags()) {
    rows.push_back({message.transaction(), id, id, tag});
    ++id;
  }
}

tl::unexpected<Error> poison(std::string what) {
  return fail(ErrorKind::kPoison, "not a batch: " + std::move(what));
}

Result<void> check_range(const wire::Batch& message) {
  if (message.first_seq() == 0) return poison("its first seq is 0");
  if (message.last_seq() + 1 < message.first_seq())
    return poison("its last seq is before its first");
  bool beyond = message.last_seq() > kMostSeq || message.former_final_seq() > kMostSeq;
  for (const wire::Former& each : message.earlier()) {
    beyond = beyond || each.final_seq() > kMostSeq;
  }
  if (beyond) return poison("it names a seq that no origin reaches");
  if (message.last_seq() < message.first_seq() && message.deltas_size() > 0) {
    return poison("a heartbeat carries changes");
  }
  if (message.last_seq() >= message.first_seq() &&
      message.last_seq() - message.first_seq() >= kMostChanges) {
    return poison("it claims more than " + std::to_string(kMostChanges) + " changes");
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

/// Rows named, each one change; more than kMostChanges: too many, or runs that make no sense.
std::uint64_t count_rows(const wire::Batch& message) {
  std::uint64_t count = 0;
  for (const wire::Rows& rows : message.rows()) {
    if (rows.last_id() < rows.first_id()) return kMostChanges + 1;
    const std::uint64_t more =
        static_cast<std::uint64_t>(rows.last_id()) - static_cast<std::uint64_t>(rows.first_id());
    if (more >= kMostChanges) return kMostChanges + 1;
    count = std::min(count + more + 1, kMostChanges + 1);
  }
  return count;
}

/// Rows whose tags are not told would be dropped, or kept, by a guess.
Result<void> check_tags(const wire::Batch& message) {
  for (const wire::Rows& rows : message.rows()) {
    if (rows.tags_size() == 1) continue;
    const std::uint64_t more =
        static_cast<std::uint64_t>(rows.last_id()) - static_cast<std::uint64_t>(rows.first_id());
    if (rows.last_id() < rows.first_id() ||
        more != static_cast<std::uint64_t>(rows.tags_size()) - 1) {
      return poison("it names rows, and other tags than these have");
    }
  }
  return {};
}

/// Every row sealed is one change and every change has a row, also of those that were joined to
/// one delta; the last change is that of some key. Rows that were discarded are no changes: a batch
/// that only tells of these takes one seq. A batch that names no rows (no relay of ours makes it)
/// holds at most one change a byte.
Result<void> check_changes(const wire::Batch& message) {
  if (message.last_seq() < message.first_seq()) return {};
  const bool discards = message.deltas_size() == 0 && message.rows_size() > 0;
  if (discards && message.last_seq() == message.first_seq()) return {};
  const std::uint64_t changes = message.last_seq() - message.first_seq() + 1;
  std::uint64_t last = 0;
  std::uint64_t bytes = 0;
  for (const wire::Delta& delta : message.deltas()) {
    last = std::max(last, delta.last_seq());
    bytes += std::max<std::uint64_t>(1, delta.body().size());
  }
  if (last < message.last_seq()) return poison("it holds nothing of its last change");
  const std::uint64_t rows = count_rows(message);
  const bool accounted = message.rows_size() > 0 ? rows == changes : changes <= bytes;
  if (accounted) return {};
  return poison("it claims " + std::to_string(changes) +
                " changes, and what it holds accounts for " +
                std::to_string(message.rows_size() > 0 ? rows : bytes) +
                (rows > kMostChanges ? " or more" : ""));
}

}  // namespace

bool names(std::span<const FormerActor> former, ActorId actor) {
  return std::ranges::find(former, actor, &FormerActor::actor) != former.end();
}

std::optional<FormerActor> last_published(std::span<const FormerActor> former) {
  const auto last =
      std::ranges::find_if(former.rbegin(), former.rend(),
                           [](const FormerActor& each) { return each.final_seq > Seq{}; });
  return last == former.rend() ? std::nullopt : std::optional(*last);
}

std::vector<FormerActor> Batch::former() const {
  std::vector<FormerActor> all;
  if (predecessor) all.push_back(*predecessor);
  all.insert(all.end(), earlier.begin(), earlier.end());
  return all;
}

std::optional<FormerActor> Batch::last_published() const {
  if (predecessor && predecessor->final_seq > Seq{}) return predecessor;
  const auto last =
      std::ranges::find_if(earlier, [](const FormerActor& each) { return each.final_seq > Seq{}; });
  return last == earlier.end() ? std::nullopt : std::optional(*last);
}

bool Batch::contradicts(ActorId of, Seq seq, HistoryDigest applied) const {
  if (of == actor) return first_seq == seq.next() && applied.contradicts(before);
  return last_published() == FormerActor{of, seq} && applied.contradicts(former_history);
}

HistoryDigest history_of(std::string_view batch_bytes) {
  const XXH64_hash_t digest = XXH3_64bits(batch_bytes.data(), batch_bytes.size());
  return {digest == 0 ? 1 : digest};  // 0 says that nothing is known
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
  message.set_before(batch.before.value);
  message.set_former_history(batch.former_history.value);
  for (const ConsumedRows& rows : batch.rows) add_rows(message, rows);
  for (const VersionVector& context : batch.contexts) message.add_contexts(context.bytes());
  for (const Delta& delta : batch.deltas) {
    wire::Delta& out = *message.add_deltas();
    out.set_key(delta.key);
    out.set_type(intern(message, delta.type.name));
    out.set_last_seq(delta.last_seq.value);
    out.set_body(delta.body);
  }
  return message.SerializeAsString();
}

namespace {

Result<Batch> decode(std::string_view bytes, bool whole) {
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
  TRIBUTARY_TRY(check_tags(message));
  if (whole) TRIBUTARY_TRY(check_changes(message));
  Batch batch;
  batch.actor = ActorId{message.actor()};
  batch.origin = OriginName{std::move(*message.mutable_origin())};
  batch.first_seq = Seq{message.first_seq()};
  batch.last_seq = Seq{message.last_seq()};
  batch.hlc = Hlc{message.hlc()};
  if (message.former_actor() != 0) {
    batch.predecessor = {ActorId{message.former_actor()}, Seq{message.former_final_seq()}};
    batch.former_history = {message.former_history()};
  }
  batch.before = {message.before()};
  batch.history = batch.heartbeat() ? batch.before : history_of(bytes);
  for (const wire::Former& each : message.earlier()) {
    batch.earlier.push_back({ActorId{each.actor()}, Seq{each.final_seq()}});
  }
  batch.rows.reserve(message.rows_size());
  for (const wire::Rows& rows : message.rows()) take_rows(rows, batch.rows);
  for (const std::string& context : message.contexts()) {
    auto vector = VersionVector::from_bytes(context);
    if (!vector) return poison("a context does not decode");
    batch.contexts.push_back(std::move(*vector));
  }
  // A table that is larger than what it is for would cost more than the message.
  if (message.types_size() > message.deltas_size()) {
    return poison("it names more types than it has deltas");
  }
  const std::vector<NamedType> types(message.types().begin(), message.types().end());
  batch.deltas.reserve(message.deltas_size());
  for (wire::Delta& delta : *message.mutable_deltas()) {
    if (delta.type() >= types.size()) {
      return poison("a delta's type is not in its table");
    }
    if (delta.last_seq() < message.first_seq() || delta.last_seq() > message.last_seq()) {
      return poison("a delta's seq lies outside of the batch");
    }
    batch.deltas.push_back({std::move(*delta.mutable_key()), types[delta.type()],
                            Seq{delta.last_seq()}, std::move(*delta.mutable_body())});
  }
  return batch;
}

}  // namespace

Result<Batch> decode_batch(std::string_view bytes) { return decode(bytes, true); }
Result<Batch> decode_piece(std::string_view bytes) { return decode(bytes, false); }

}  // namespace tributary
