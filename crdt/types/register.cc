#include <algorithm>
#include <array>
#include <compare>

#include <tributary/base/bytes.h>
#include <tributary/crdt/type.h>
#include <tributary/crdt/types/register.h>

namespace tributary::crdt {
namespace {

constexpr std::string_view kWinnerField = "r";
constexpr std::string_view kSet = "set";
constexpr std::string_view kClear = "clear";

/// A write, ordered by (hlc, actor, seq).
struct Write {
  Hlc hlc;
  ActorId actor;
  Seq seq;
  bool present = false;
  std::string_view value;

  [[nodiscard]] bool beats(const Write& other) const {
    if (const auto order = hlc <=> other.hlc; order != 0) return order > 0;
    if (const auto order = actor <=> other.actor; order != 0) return order > 0;
    return seq > other.seq;
  }
};

Write decode_delta(ByteReader& in, ActorId actor) {
  Write write;
  write.hlc = Hlc{in.fixed64()};
  write.actor = actor;
  write.seq = Seq{in.varint()};
  const std::uint64_t present = in.varint();
  if (present > 1) in.fail();
  write.present = present == 1;
  if (write.present) write.value = in.text();
  return write;
}

void encode_delta(ByteWriter& out, const Write& write) {
  out.fixed64(write.hlc.value);
  out.varint(write.seq.value);
  out.varint(write.present ? 1 : 0);
  if (write.present) out.text(write.value);
}

/// The state is the winner's actor, then its delta.
Write decode_state(ByteReader& in) {
  const ActorId actor{in.fixed64()};
  return decode_delta(in, actor);
}
Write decode_state(std::string_view bytes) {
  ByteReader in(bytes);
  return decode_state(in);
}

bool intact(const State& state) {
  return std::all_of(state.fields().begin(), state.fields().end(), [](const State::Field& field) {
    if (!field.value) return true;
    ByteReader in(*field.value);
    static_cast<void>(decode_state(in));
    return field.name == kWinnerField && in.finished();
  });
}

std::string encode_state(const Write& write) {
  ByteWriter out;
  out.fixed64(write.actor.value);
  encode_delta(out, write);
  return out.take();
}

void join_write(const Write& write, State& state, ViewEdits& edits) {
  const std::string* bytes = state.find(kWinnerField);
  if (bytes != nullptr && !write.beats(decode_state(*bytes))) return;
  const bool visible_before = bytes != nullptr && decode_state(*bytes).present;
  if (write.present) {
    edits.push_back({ViewEdit::Action::kPut, {}, std::string(write.value)});
  } else if (visible_before) {
    edits.push_back({ViewEdit::Action::kClear, {}, {}});
  }
  state.set(kWinnerField, encode_state(write));
}

std::string seal(ActorId actor, std::span<const SealedChange> changes, ContextTable& /*contexts*/) {
  const SealedChange& last = changes.back();  // timestamps grow with seq, so the last one wins
  ByteWriter out;
  encode_delta(out, {last.hlc, actor, last.seq, last.operation->name != kClear, last.value});
  return out.take();
}

std::vector<UnsealedChange> unseal(std::string_view delta,
                                   std::span<const VersionVector> /*contexts*/) {
  ByteReader in(delta);
  const Write write = decode_delta(in, ActorId{});
  if (!write.present) return {{.operation = kClear}};
  return {{.operation = kSet, .value = std::string(write.value)}};
}

std::vector<FieldTotals> totals(std::string_view /*delta*/) { return {}; }

Result<FieldSelection> touched(std::string_view delta, const DeltaBounds& bounds) {
  ByteReader in(delta);
  const Write write = decode_delta(in, ActorId{});
  if (!in.finished()) return fail(ErrorKind::kPoison, "the bytes are not a register's delta");
  if (write.seq < bounds.first_seq || write.seq > bounds.last_seq || write.hlc > bounds.hlc) {
    return fail(ErrorKind::kPoison, "the register's delta claims a seq or a time beyond its batch");
  }
  return FieldSelection{false, {std::string(kWinnerField)}};
}

JoinResult join(std::string_view delta, const DeltaSource& source, State& state, ViewEdits& edits) {
  ByteReader in(delta);
  join_write(decode_delta(in, source.actor), state, edits);
  return {};
}

JoinResult merge(State& mine, const VersionVector& /*my_watermark*/, const State& theirs,
                 const VersionVector& /*their_watermark*/) {
  ViewEdits unused;
  if (const std::string* bytes = theirs.find(kWinnerField)) {
    join_write(decode_state(*bytes), mine, unused);
  }
  return {};
}

FieldSelection deferred(const State& /*state*/) { return {}; }

VersionVector awaited(const State& /*state*/) { return {}; }

JoinResult prune(State& /*state*/, const VersionVector& /*watermark*/) { return {}; }

ViewEdits render(const State& state) {
  const std::string* bytes = state.find(kWinnerField);
  if (bytes == nullptr) return {};
  const Write winner = decode_state(*bytes);
  if (!winner.present) return {};
  return {{ViewEdit::Action::kPut, {}, std::string(winner.value)}};
}

constexpr std::array kOperations{
    Operation{.name = kSet, .operand = Operand::kValue},
    Operation{.name = kClear},
};

}  // namespace

extern const Type kRegister;
constinit const Type kRegister{
    .name = "register",
    .view = ViewKind::kString,
    .operations = kOperations,
    .head = kWinnerField,
    .seal = seal,
    .unseal = unseal,
    .totals = totals,
    .touched = touched,
    .join = join,
    .intact = intact,
    .merge = merge,
    .deferred = deferred,
    .awaited = awaited,
    .prune = prune,
    .render = render,
};

}  // namespace tributary::crdt
