#include "relay/origin_relay.h"

#include <algorithm>

#include "base/log.h"
#include "relay/void_batches.h"

namespace tributary {
namespace {

constexpr SealLimit kBacklogPage{16, std::size_t{16} << 20};
/// A look at the outbox's depth counts its rows: it takes a hundredth of the time at most.
constexpr Millis kMeasureAtLeast{5000};
constexpr int kMeasureShare = 100;
/// A context that the outbox had no room for.
constexpr Micros kTellAgain = std::chrono::minutes(1);

}  // namespace

OriginRelay::OriginRelay(OriginName origin, const RelaySettings& settings, RelayPorts ports)
    : origin_(std::move(origin)),
      settings_(settings),
      ports_(std::move(ports)),
      publisher_(*ports_.changelog, origin_, settings_, *ports_.clock, *ports_.metrics),
      outage_({.away = "the outbox cannot be led; changes wait in it, and it is tried again",
               .refuse = "",
               .back = "the outbox is led again"},
              origin_.value,
              ports_.metrics->gauge("tributary_relay_failed",
                                    "1 while the origin cannot be relayed for a reason that needs "
                                    "a person",
                                    {{"origin", origin_.value}}),
              {settings.backoff_first, settings.backoff_max, ports_.random()}),
      metrics_(*ports_.metrics, origin_),
      poll_(settings.poll_min),
      heartbeat_(settings.heartbeat) {}

Result<Millis> OriginRelay::step() {
  auto waited = leadership_ ? work() : lead();
  if (waited) return waited;
  return recover(waited.error());
}

Result<Millis> OriginRelay::recover(const Error& error) {
  const bool was_leading = leadership_.has_value();
  leadership_.reset();
  // Whatever failed, perhaps the broker: is the database there?
  if (store_ != nullptr) metrics_.database_connected.set(store_->schema() ? 1 : 0);
  store_.reset();
  written_context_.reset();
  asked_ = false;
  unproven_.clear();
  unproven_seals_ = 0;
  proven_.clear();
  publisher_.reset();
  confirmed_.clear();
  metrics_.lost_lease();
  if (error.kind == ErrorKind::kFatal || error.kind == ErrorKind::kInvalid) return fail(error);
  if (error.kind == ErrorKind::kConflict && !was_leading) {
    publisher_.leave();
    if (!standby_logged_) {
      log::info("another relay leads; standing by",
                {{"origin", origin_.value}, {"reason", error.message}});
    }
    standby_logged_ = true;
    return settings_.lease_retry;
  }
  return outage_.met(error);
}

/// To lead for a moment is no success: what fails then would be tried as fast as it fails.
bool OriginRelay::led_well() const {
  return ports_.clock->monotonic() - led_at_ >= settings_.backoff_max;
}

Succession OriginRelay::succession() {
  return {
      *store_, *ports_.changelog, origin_, settings_.origins, ports_.ask_replicas, ports_.random,
      handed_};
}

Result<Millis> OriginRelay::lead() {
  if (!sealing_) return settings_.poll_max;
  if (store_ == nullptr) {
    auto opened = ports_.open_store();
    metrics_.database_connected.set(opened ? 1 : 0);
    if (!opened) return fail(opened.error());
    store_ = std::move(*opened);
  }
  TRIBUTARY_TRY(measure());
  TRIBUTARY_ASSIGN(leadership_, take_leadership(succession()));
  backlog_at_ = 0;
  backlog_done_ = false;
  minting_told_ = false;
  heartbeat_ = settings_.heartbeat;
  led_at_ = ports_.clock->monotonic();
  metrics_.leading.set(1);
  standby_logged_ = false;
  log::info("leading", {{"origin", origin_.value},
                        {"actor", leadership_->head.actor.hex()},
                        {"head_seq", leadership_->head.seq.value}});
  return Millis{0};
}

Result<Millis> OriginRelay::work() {
  bool sealed = false;
  if (outage_.open() && led_well()) outage_.over();
  TRIBUTARY_TRY(refresh_context());  // before the first seal: what is parked was not seen
  TRIBUTARY_TRY(catch_up());
  if (sealing_ && caught_up() && publisher_.room() && ports_.clock->monotonic() >= seal_at_) {
    ask_region();
    TRIBUTARY_ASSIGN(sealed, seal_some());
  }
  if (caught_up()) heartbeat_when_idle();
  TRIBUTARY_TRY(publisher_.step());
  TRIBUTARY_TRY(write_confirms());
  TRIBUTARY_TRY(keep_house());
  if (sealed) {
    poll_ = settings_.poll_min;
    return Millis{0};
  }
  const Millis wait = publisher_.empty() && caught_up() ? poll_ : settings_.poll_min;
  poll_ = std::min(poll_ * 2, settings_.poll_max);
  return wait;
}

Result<void> OriginRelay::catch_up() {
  while (!backlog_done_ && publisher_.room()) {
    TRIBUTARY_ASSIGN(auto page, store_->unconfirmed(backlog_at_, kBacklogPage));
    backlog_done_ = page.empty();
    for (SealedBatch& batch : page) {
      backlog_at_ = batch.position;
      if (!leadership_->voided.contains(batch.position)) publish(std::move(batch));
    }
  }
  if (backlog_done_ && leadership_->unsettled) TRIBUTARY_TRY(tell_minting());
  const bool voided = backlog_done_ && !leadership_->unsettled && !leadership_->voided.empty();
  return voided && publisher_.room() ? reseal() : Result<void>{};
}

Result<void> OriginRelay::tell_minting() {
  if (!minting_told_) {
    // Behind the former actor's batches, so that a replica that has these is at no gap.
    if (!publisher_.empty()) return {};
    add_heartbeat();
    minting_told_ = true;
    return {};
  }
  if (!publisher_.empty()) return {};
  return settle(*leadership_, succession());
}

Result<void> OriginRelay::reseal() {
  SealRules rules = this->rules();
  rules.proven.reset();  // its tokens have waited before
  return reseal_void(*leadership_, succession(), rules, settings_.unconfirmed_bytes,
                     [&](SealedBatch batch) { publish(std::move(batch)); });
}

/// An origin that has changes is not idle; one that only says so still is, whenever that is
/// confirmed.
void OriginRelay::publish(SealedBatch batch) {
  note_handed(batch.actor, batch.last_seq);
  publisher_.add(std::move(batch));
  heartbeat_ = settings_.heartbeat;
}

void OriginRelay::note_handed(ActorId actor, Seq seq) {
  if (actor != leadership_->head.actor) return;
  if (handed_ && handed_->actor == actor) seq = std::max(seq, handed_->final_seq);
  handed_ = {actor, seq};
}

void OriginRelay::add_heartbeat() {
  const OriginHead& head = leadership_->head;
  note_handed(head.actor, head.seq);
  const Hlc now = Hlc::from_micros(static_cast<std::uint64_t>(ports_.clock->wall().count()));
  publisher_.add(
      {head.actor, head.seq.next(), head.seq, heartbeat(head, leadership_->former, now)});
}

/// The longer an origin is idle, the less often it says so: heartbeats stay in the changelog.
void OriginRelay::heartbeat_when_idle() {
  if (!publisher_.empty()) return;
  if (ports_.clock->monotonic() - publisher_.last_published() < heartbeat_) return;
  add_heartbeat();
  heartbeat_ = std::min(heartbeat_ * 2, std::max(settings_.heartbeat, settings_.heartbeat_max));
}

Result<void> OriginRelay::write_confirms() {
  for (const auto& [actor, seq] : publisher_.take_confirmed()) confirmed_[actor] = seq;
  const Micros now = ports_.clock->monotonic();
  if (confirmed_.empty() || now < confirms_at_) return {};
  if (leadership_->unsettled) return {};  // they may turn out to be void, and must be found then
  confirms_at_ = now + settings_.confirm_interval;
  confirmed_at_ = now;
  for (const auto& [actor, seq] : std::exchange(confirmed_, {})) {
    TRIBUTARY_TRY(store_->confirm(actor, seq, settings_.retention));
  }
  return {};
}

/// What the region holds beyond our head would make duplicates of the changes that come: whoever
/// published it, it is as after a restore, and taking the lead again judges it so.
Result<void> OriginRelay::check_head(const VersionVector& watermark) const {
  const OriginHead& head = leadership_->head;
  const Seq applied = watermark.get(head.actor);
  if (applied <= head.seq) return {};
  return fail(ErrorKind::kConflict,
              "the region's replica has applied changes of actor " + head.actor.hex() +
                  " up to seq " + std::to_string(applied.value) + ", and only " +
                  std::to_string(head.seq.value) +
                  " were sealed here: another relay leads, the database was put back, or somebody "
                  "forged a batch. Unless another relay leads, a new actor is minted");
}

Result<void> OriginRelay::refresh_context() {
  const Micros now = ports_.clock->monotonic();
  if (now < context_at_) return {};
  context_at_ = now + settings_.context_refresh;
  auto context = ports_.writer_context();
  if (!context) return {};
  TRIBUTARY_TRY(check_head(context->watermark));
  const bool told = written_context_ && now < tell_again_at_ &&
                    context->watermark == written_context_->watermark &&
                    context->hlc == written_context_->hlc &&
                    context->lowered == written_context_->lowered;
  learn(*context);  // even if the database does not answer
  if (!told) {
    TRIBUTARY_TRY(store_->set_context({context->watermark, context->lowered}, leadership_->seen));
    tell_again_at_ = now + kTellAgain;
  }
  written_context_ = std::move(context);
  return {};
}

// ---- house-keeping ---------------------------------------------------------------------------

Result<void> OriginRelay::save_totals() {
  TotalsCache& totals = leadership_->totals;
  if (leadership_->totals_seq == leadership_->head.seq) return {};
  TRIBUTARY_TRY(store_->save_totals(totals.unsaved(), leadership_->head.seq));
  totals.saved(settings_.unsaved_totals);
  leadership_->totals_seq = leadership_->head.seq;
  return {};
}

/// A restored database would hold once more what a person has discarded: the changelog remembers.
/// Some at a time, however busy the origin is.
Result<void> OriginRelay::tell_discarded() {
  constexpr std::size_t kAtOnce = 1000;
  while (sealing_ && caught_up() && publisher_.room()) {
    TRIBUTARY_ASSIGN(const auto some, store_->discarded(kAtOnce));
    if (some.empty()) return {};
    std::vector<ConsumedRows> rows;
    for (const DiscardRecord& each : some) rows.push_back(each.rows);
    OriginHead& head = leadership_->head;
    SealedBatch batch = seal_discarded(head, leadership_->former, std::move(rows));
    TRIBUTARY_TRY(store_->seal_discarded(some, batch, head.hlc));
    head.seq = batch.last_seq;
    head.history = history_of(batch.bytes);
    publish(std::move(batch));
  }
  return {};
}

/// Totals are saved by time, so that batches whose changes they hold can be forgotten, and an idle
/// outbox shrinks, too. Once all is forgotten that can be, an idle relay writes no more.
Result<void> OriginRelay::keep_house() {
  TRIBUTARY_TRY(measure());
  const Micros now = ports_.clock->monotonic();
  if (now < house_at_) return {};
  // A machine that slept, as one that was restarted, has old batches to forget, too.
  if (now > house_at_ + 2 * settings_.housekeeping) confirmed_at_ = now;
  house_at_ = now + settings_.housekeeping;
  TRIBUTARY_TRY(tell_discarded());
  TRIBUTARY_TRY(save_totals());
  if (now > confirmed_at_ + settings_.retention + 10 * settings_.housekeeping) return {};
  return store_->confirm(leadership_->head.actor, Seq{}, settings_.retention);
}

Result<void> OriginRelay::measure() {
  const Micros now = ports_.clock->monotonic();
  if (now < measured_at_) return {};
  TRIBUTARY_ASSIGN(const OutboxStatus status, store_->status());
  metrics_.outbox_depth.set(static_cast<double>(status.depth));
  const Micros age = status.depth > 0 ? ports_.clock->wall() - status.oldest : Micros{0};
  metrics_.outbox_oldest_seconds.set(std::max(0.0, static_cast<double>(age.count()) / 1e6));
  const Micros took = ports_.clock->monotonic() - now;
  measured_at_ = now + std::max<Micros>(kMeasureAtLeast, took * kMeasureShare);
  return {};
}

void OriginRelay::release() {
  if (store_ == nullptr) return;
  confirms_at_ = Micros{0};
  const auto end = [&]() -> Result<void> {
    if (!leadership_) return {};
    TRIBUTARY_TRY(write_confirms());
    return save_totals();
  };
  for (auto done : {end(), store_->release()}) {
    if (!done) {
      log::warn("could not leave the outbox in good order; the next relay takes over all the same",
                {{"origin", origin_.value}, {"reason", done.error().message}});
    }
  }
  store_.reset();
  leadership_.reset();
  publisher_.leave();
  metrics_.lost_lease();
}

}  // namespace tributary
