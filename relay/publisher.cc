#include "relay/publisher.h"

namespace tributary {

Publisher::Publisher(Changelog& changelog, OriginName origin, const RelaySettings& settings,
                     Clock& clock, Metrics& metrics)
    : changelog_(changelog),
      origin_(std::move(origin)),
      settings_(settings),
      clock_(clock),
      outage_({.away = "changelog is away; changes wait in the outbox",
               .refuse = "the changelog cannot be published to until somebody helps; changes wait "
                         "in the outbox, and it is tried again",
               .back = "changelog is back"},
              origin_.value,
              metrics.gauge("tributary_relay_failed",
                            "1 while the origin cannot be relayed for a reason that needs a person",
                            {{"origin", origin_.value}}),
              {settings.backoff_first, settings.backoff_max,
               static_cast<std::uint64_t>(clock.wall().count())}),
      published_(metrics.event_count("tributary_relay_published_batches_total",
                                     "Batches handed to the changelog, repeats included",
                                     {{"origin", origin_.value}})),
      published_bytes_(metrics.event_count("tributary_relay_published_bytes_total",
                                           "Bytes handed to the changelog, repeats included",
                                           {{"origin", origin_.value}})),
      unconfirmed_(metrics.gauge("tributary_relay_unconfirmed_batches",
                                 "Batches sealed and not yet confirmed",
                                 {{"origin", origin_.value}})),
      connected_(metrics.gauge("tributary_relay_changelog_connected",
                               "1 while connected to the changelog", {{"origin", origin_.value}})) {
  connected_.set(0);
}

bool Publisher::room() const {
  return pending_.size() < settings_.unconfirmed_batches &&
         pending_bytes_ < settings_.unconfirmed_bytes;
}

void Publisher::add(SealedBatch batch) {
  pending_bytes_ += batch.bytes.size();
  pending_.push_back(std::move(batch));
}

void Publisher::reset() {
  writer_.reset();
  connected_.set(0);
  pending_.clear();
  pending_bytes_ = 0;
  sent_ = 0;
  confirmed_.clear();
}

void Publisher::leave() {
  reset();
  unconfirmed_.set(0);
}

std::map<ActorId, Seq> Publisher::take_confirmed() { return std::exchange(confirmed_, {}); }

Result<void> Publisher::connect() {
  TRIBUTARY_TRY(changelog_.declare(origin_));
  TRIBUTARY_ASSIGN(writer_, changelog_.open_writer(origin_));
  sent_ = 0;
  first_tag_ = 1;
  connected_.set(1);
  return {};
}

Result<void> Publisher::exchange() {
  while (sent_ < pending_.size() && !writer_->blocked()) {
    const SealedBatch& batch = pending_[sent_];
    TRIBUTARY_TRY(writer_->publish(first_tag_ + sent_, batch.bytes));
    ++sent_;
    published_.add(1);
    published_bytes_.add(static_cast<double>(batch.bytes.size()));
    last_published_ = clock_.monotonic();
  }
  TRIBUTARY_ASSIGN(const std::uint64_t through, writer_->confirmed(Millis{0}));
  while (!pending_.empty() && sent_ > 0 && first_tag_ <= through) {
    pending_bytes_ -= pending_.front().bytes.size();
    const SealedBatch& batch = pending_.front();
    if (batch.last_seq >= batch.first_seq) confirmed_[batch.actor] = batch.last_seq;
    pending_.pop_front();
    --sent_;
    ++first_tag_;
    outage_.over();
  }
  unconfirmed_.set(static_cast<double>(pending_.size()));
  return {};
}

void Publisher::lost(const Error& error) {
  writer_.reset();
  sent_ = 0;
  connected_.set(0);
  retry_at_ = clock_.monotonic() + outage_.met(error);
}

Result<void> Publisher::step() {
  if (writer_ == nullptr) {
    if (clock_.monotonic() < retry_at_) return {};
    if (auto connected = connect(); !connected) {
      lost(connected.error());
      return {};
    }
  }
  if (auto exchanged = exchange(); !exchanged) lost(exchanged.error());
  return {};
}

}  // namespace tributary
