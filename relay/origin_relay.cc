#include <algorithm>

#include <tributary/base/log.h>
#include <tributary/relay/origin_relay.h>

namespace tributary {

OriginRelay::OriginRelay(OriginName origin, const Schema& schema, const RelaySettings& settings,
                         RelayPorts ports)
    : origin_(std::move(origin)),
      schema_(schema),
      settings_(settings),
      ports_(std::move(ports)),
      publisher_(*ports_.changelog, origin_, settings_, *ports_.clock, *ports_.metrics),
      backoff_(settings.backoff_first, settings.backoff_max, ports_.random()),
      sealed_changes_(ports_.metrics->counter("tributary_relay_sealed_changes_total",
                                              "Changes sealed into batches",
                                              {{"origin", origin_.value}})),
      sealed_batches_(ports_.metrics->counter("tributary_relay_sealed_batches_total",
                                              "Batches sealed", {{"origin", origin_.value}})),
      parked_changes_(ports_.metrics->counter("tributary_relay_parked_changes_total",
                                              "Outbox rows set aside at sealing",
                                              {{"origin", origin_.value}})),
      leading_(ports_.metrics->gauge("tributary_relay_leading", "1 while this relay has the lease",
                                     {{"origin", origin_.value}})),
      poll_(settings.poll_min) {}

Result<Millis> OriginRelay::step() {
  auto waited = leadership_ ? work() : lead();
  if (waited) return waited;
  return recover(waited.error());
}

Result<Millis> OriginRelay::recover(const Error& error) {
  const bool was_leading = leadership_.has_value();
  leadership_.reset();
  store_.reset();
  written_context_.reset();
  publisher_.reset();
  leading_.set(0);
  if (error.kind == ErrorKind::kFatal || error.kind == ErrorKind::kInvalid) return fail(error);
  if (error.kind == ErrorKind::kConflict && !was_leading) {
    if (!standby_logged_) {
      log::info("another relay leads; standing by",
                {{"origin", origin_.value}, {"reason", error.message}});
    }
    standby_logged_ = true;
    return settings_.lease_retry;
  }
  const Millis wait = backoff_.next();
  log::warn(was_leading ? "lost the outbox; will lead again" : "cannot lead yet; will try again",
            {{"origin", origin_.value}, {"reason", error.message}, {"retry_ms", wait.count()}});
  return wait;
}

Result<Millis> OriginRelay::lead() {
  if (!sealing_) return settings_.poll_max;
  if (store_ == nullptr) {
    TRIBUTARY_ASSIGN(store_, ports_.open_store());
  }
  TRIBUTARY_ASSIGN(leadership_,
                   take_leadership(*store_, *ports_.changelog, origin_, ports_.random));
  for (SealedBatch& batch : leadership_->unconfirmed) publisher_.add(std::move(batch));
  leadership_->unconfirmed.clear();
  backoff_.reset();
  leading_.set(1);
  standby_logged_ = false;
  log::info("leading", {{"origin", origin_.value},
                        {"actor", leadership_->head.actor.hex()},
                        {"head_seq", leadership_->head.seq.value}});
  return Millis{0};
}

Result<Millis> OriginRelay::work() {
  bool sealed = false;
  if (sealing_ && publisher_.room()) {
    TRIBUTARY_ASSIGN(sealed, seal_some());
  }
  heartbeat_when_idle();
  TRIBUTARY_TRY(publisher_.step());
  TRIBUTARY_TRY(write_confirms());
  TRIBUTARY_TRY(refresh_context());
  if (sealed) {
    poll_ = settings_.poll_min;
    return Millis{0};
  }
  const Millis wait = publisher_.empty() ? poll_ : settings_.poll_min;
  poll_ = std::min(poll_ * 2, settings_.poll_max);
  return wait;
}

Result<bool> OriginRelay::seal_some() {
  TRIBUTARY_ASSIGN(const auto rows,
                   store_->begin_seal({settings_.batch_changes, settings_.batch_bytes}));
  if (rows.empty()) return false;
  TotalsCache& totals = leadership_->totals;
  if (const auto unknown = totals.unknown(rows); !unknown.empty()) {
    TRIBUTARY_ASSIGN(const auto stored, store_->load_totals(unknown));
    totals.learn(unknown, stored);
  }
  // A clock may be ahead by max_skew at most; what the writers had seen is beyond doubt.
  const Hlc seen = written_context_ ? written_context_->hlc : Hlc{};
  const Hlc latest =
      std::max(Hlc{seen.value + 1}, Hlc::from_micros(static_cast<std::uint64_t>(
                                        (ports_.clock->wall() + settings_.max_skew).count())));
  Sealing sealing = seal(leadership_->head, rows, latest, schema_, totals);
  TRIBUTARY_TRY(commit_sealing(std::move(sealing)));
  return true;
}

Result<void> OriginRelay::commit_sealing(Sealing sealing) {
  TotalsCache& totals = leadership_->totals;
  const bool save_all = totals.unsaved_count() >= settings_.unsaved_totals;
  const auto saved = save_all ? totals.unsaved() : totals.unsaved_near_overflow();
  SealCommit commit{.batch = std::move(sealing.batch),
                    .hlc = sealing.head.hlc,
                    .parked = sealing.parked,
                    .totals = saved,
                    .totals_seq = std::nullopt};
  if (save_all) commit.totals_seq = sealing.head.seq;
  TRIBUTARY_TRY(store_->commit_seal(commit));
  if (save_all) totals.saved(settings_.unsaved_totals);
  sealed_changes_.add(static_cast<double>(sealing.head.seq.value - leadership_->head.seq.value));
  leadership_->head = sealing.head;
  parked_changes_.add(static_cast<double>(sealing.parked.size()));
  for (const ParkedRow& row : sealing.parked) {
    log::warn("parked a change",
              {{"origin", origin_.value}, {"id", row.id}, {"reason", row.reason}});
  }
  if (!commit.batch) return {};
  sealed_batches_.add(1);
  publisher_.add(std::move(*commit.batch));
  return {};
}

void OriginRelay::heartbeat_when_idle() {
  const bool idle = publisher_.empty() &&
                    ports_.clock->monotonic() - publisher_.last_published() >= settings_.heartbeat;
  if (!idle) return;
  const OriginHead& head = leadership_->head;
  const Hlc now = Hlc::from_micros(static_cast<std::uint64_t>(ports_.clock->wall().count()));
  publisher_.add({head.actor, head.seq.next(), head.seq, heartbeat(head, now)});
}

Result<void> OriginRelay::write_confirms() {
  const Micros now = ports_.clock->monotonic();
  if (now < confirms_at_) return {};
  const auto confirmed = publisher_.take_confirmed();
  if (!confirmed) return {};
  confirms_at_ = now + settings_.confirm_interval;
  return store_->confirm(confirmed->actor, confirmed->last_seq, settings_.retention);
}

Result<void> OriginRelay::refresh_context() {
  const Micros now = ports_.clock->monotonic();
  if (now < context_at_) return {};
  context_at_ = now + settings_.context_refresh;
  const auto context = ports_.writer_context();
  if (!context || context == written_context_) return {};
  TRIBUTARY_TRY(store_->set_context(context->watermark, context->hlc));
  written_context_ = context;
  return {};
}

void OriginRelay::release() {
  if (store_ == nullptr) return;
  confirms_at_ = Micros{0};
  for (auto done : {leadership_ ? write_confirms() : Result<void>{}, store_->release()}) {
    if (!done) {
      log::warn("could not give the lease back",
                {{"origin", origin_.value}, {"reason", done.error().message}});
    }
  }
  store_.reset();
  leadership_.reset();
}

}  // namespace tributary
