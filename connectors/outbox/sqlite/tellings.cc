#include "connectors/outbox/sqlite/tellings.h"

#include <algorithm>
#include <utility>

#include "connectors/outbox/sqlite/batches.h"
#include "connectors/outbox/sqlite/origin_row.h"

namespace tributary::sqlite {
namespace {

constexpr Micros kContextWait{250'000};
constexpr Micros kConfirmWait{1'000'000};
/// Times that far ahead of the clock are worth a write of their own.
constexpr Micros kAhead{1'000'000};

Micros now() { return SystemClock().monotonic(); }

}  // namespace

void Tellings::confirm(ActorId actor, Seq seq, Micros retention) {
  Seq& known = confirmed_[actor];
  known = std::max(known, seq);
  retention_ = retention;
  due_ = std::min(due_.value_or(now() + kConfirmWait), now() + kConfirmWait);
}

/// An own change that came back tells a writer nothing: what it wrote itself counts as seen. Nor
/// does a time without a change, unless it is one that the clock does not reach.
bool Tellings::matters(const Context& stored) const {
  const auto others = [&](const WriterContext& context) {
    VersionVector watermark = context.watermark();
    watermark.erase(fence_.lead.actor);
    return watermark;
  };
  if (others(context_->seen) != others(stored.seen)) return true;
  if (context_->seen.lowered() != stored.seen.lowered()) return true;
  const Micros clock = SystemClock().wall() + kAhead;
  return context_->hlc > stored.hlc &&
         context_->hlc > Hlc::from_micros(static_cast<std::uint64_t>(clock.count()));
}

Result<void> Tellings::context(const WriterContext& context, Hlc hlc) {
  if (!stored_) {
    TRIBUTARY_ASSIGN(stored_, read_context());
  }
  const Hlc known = context_ ? context_->hlc : stored_->hlc;
  context_ = Context{context, {}, hlc > kMaxHlc ? known : std::max(known, hlc)};
  if (context_->seen == stored_->seen && context_->hlc == stored_->hlc) context_.reset();
  else if (matters(*stored_)) {
    due_ = std::min(due_.value_or(now() + kContextWait), now() + kContextWait);
  }
  return {};
}

Result<Tellings::Context> Tellings::read_context() const {
  TRIBUTARY_ASSIGN(Statement row,
                   fence_.prepare("SELECT coalesce((SELECT t.bytes FROM tributary_told_context t "
                                  "WHERE t.id = c.context_id), c.watermark), c.told, c.hlc "
                                  "FROM tributary_context c"));
  TRIBUTARY_ASSIGN(const bool found, row.step());
  if (!found) return fail(no_origin());
  Context context{WriterContext::from_bytes(row.bytes(0)).value_or(WriterContext{}),
                  VersionVector::from_bytes(row.bytes(1)).value_or(VersionVector{}),
                  Hlc{row.unsigned_integer(2)}};
  if (context.hlc > kMaxHlc) context.hlc = Hlc{};
  return context;
}

Result<void> Tellings::write_context() {
  TRIBUTARY_ASSIGN(Context stored, read_context());
  stored.told.join(context_->seen.watermark());
  const std::string bytes = context_->seen.bytes();
  const std::string least = context_->seen.least().bytes();
  const std::string told = stored.told.bytes();
  TRIBUTARY_ASSIGN(const auto id, store_context(fence_, bytes));
  TRIBUTARY_ASSIGN(Statement row,
                   fence_.prepare("UPDATE tributary_context SET watermark = ?, told = ?, hlc = ?, "
                                  "context_id = coalesce(?, context_id)"));
  row.add_blob(least).add_blob(told).add(std::max(stored.hlc, context_->hlc).value);
  id ? row.add(*id) : row.add_null();
  TRIBUTARY_TRY(row.run());
  return sweep_.step(fence_);
}

Result<void> Tellings::write() {
  if (context_) TRIBUTARY_TRY(write_context());
  if (confirmed_.empty()) return {};
  const Micros clock = SystemClock().wall();
  TRIBUTARY_TRY(forget_batches(fence_, clock - retention_));
  for (const auto& [actor, seq] : confirmed_) {
    TRIBUTARY_TRY(mark_confirmed(fence_, actor, seq, clock));
  }
  return sweep_totals(fence_);
}

void Tellings::written() {
  if (context_) stored_ = std::exchange(context_, std::nullopt);
  confirmed_.clear();
  due_.reset();
}

void Tellings::clear() {
  stored_.reset();
  context_.reset();
  confirmed_.clear();
  due_.reset();
}

Result<void> Tellings::flush() {
  if (!context_ && confirmed_.empty()) return {};
  // What is lost when the power fails is told again.
  TRIBUTARY_TRY(fence_.relaxed([&] { return fence_.fenced([&] { return write(); }); }));
  written();
  return {};
}

Result<void> Tellings::settle() {
  if (!due_) return {};
  // Among services that read first it had better ride on a seal than be a write more.
  const bool good = quiet_.look() && !quiet_.readers_lately();
  return good || now() >= *due_ ? flush() : Result<void>();
}

}  // namespace tributary::sqlite
