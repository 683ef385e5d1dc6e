#include <algorithm>
#include <array>

#include <tributary/base/bytes.h>
#include <tributary/crdt/type.h>
#include <tributary/crdt/types/register.h>

#include "crdt/kernel/last_writer.h"

namespace tributary::crdt {
namespace {

using kernel::LastWrite;

constexpr std::string_view kWinnerField = "r";

constexpr std::array kOperations{
    Operation{.name = "set", .operand = Operand::kValue},
    Operation{.name = "clear"},
};
constexpr const Operation& kAssign = kOperations[0];
constexpr const Operation& kClear = kOperations[1];

std::string seal(ActorId actor, std::span<const SealedChange> changes, ContextTable& /*contexts*/) {
  const SealedChange& last = changes.back();  // timestamps grow with seq, so the last one wins
  ByteWriter out;
  kernel::encode_delta(out, {last.hlc, actor, last.seq, last.operation == &kAssign, last.value});
  return out.take();
}

std::vector<UnsealedChange> unseal(std::string_view delta,
                                   std::span<const VersionVector> /*contexts*/) {
  ByteReader in(delta);
  const LastWrite write = kernel::decode_delta(in, ActorId{});
  if (!write.present) return {{.operation = kClear.name}};
  return {{.operation = kAssign.name, .value = std::string(write.value)}};
}

Result<FieldSelection> touched(std::string_view delta, const DeltaBounds& bounds) {
  ByteReader in(delta);
  const LastWrite write = kernel::decode_delta(in, ActorId{});
  if (!in.finished()) return fail(ErrorKind::kPoison, "the bytes are not a register's delta");
  if (!write.within(bounds)) {
    return fail(ErrorKind::kPoison, "the register's delta claims a seq or a time beyond its batch");
  }
  return FieldSelection{false, {std::string(kWinnerField)}};
}

void join_write(const LastWrite& write, State& state, ViewEdits& edits) {
  bool was_visible = false;
  if (const std::string* bytes = state.find(kWinnerField)) {
    const LastWrite winner = kernel::decode_cell(*bytes);
    if (!write.beats(winner)) return;
    was_visible = winner.present;
  }
  if (write.present) edits.emplace_back(SetString{std::string(write.value)});
  else if (was_visible) edits.emplace_back(DropView{});
  state.set(kWinnerField, kernel::encode_cell(write));
}

JoinResult join(std::string_view delta, const DeltaSource& source, State& state, ViewEdits& edits) {
  ByteReader in(delta);
  join_write(kernel::decode_delta(in, source.actor), state, edits);
  return {};
}

bool intact(const State& state) {
  return std::ranges::all_of(state.fields(), [](const State::Field& field) {
    if (!field.value) return true;
    ByteReader in(*field.value);
    static_cast<void>(kernel::decode_cell(in));
    return field.name == kWinnerField && in.finished();
  });
}

JoinResult merge(State& mine, const VersionVector& /*my_watermark*/, const State& theirs,
                 const VersionVector& /*their_watermark*/) {
  ViewEdits unused;
  if (const std::string* bytes = theirs.find(kWinnerField)) {
    join_write(kernel::decode_cell(*bytes), mine, unused);
  }
  return {};
}

ViewEdits render(const State& state) {
  const std::string* bytes = state.find(kWinnerField);
  if (bytes == nullptr) return {};
  const LastWrite winner = kernel::decode_cell(*bytes);
  if (!winner.present) return {};
  return {SetString{std::string(winner.value)}};
}

}  // namespace

extern const Type kRegister;
constinit const Type kRegister{
    .name = "register",
    .view = ViewKind::kString,
    .operations = kOperations,
    .head = kWinnerField,
    .seal = seal,
    .unseal = unseal,
    .touched = touched,
    .join = join,
    .intact = intact,
    .merge = merge,
    .render = render,
};

}  // namespace tributary::crdt
