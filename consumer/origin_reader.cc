#include "consumer/origin_reader.h"

namespace tributary {

OriginReader::OriginReader(Changelog& changelog, OriginName origin, ReadAhead& read_ahead,
                           const ConsumerSettings& settings, Clock& clock, Metrics& metrics)
    : changelog_(changelog),
      origin_(std::move(origin)),
      read_ahead_(read_ahead),
      outage_({.away = "changelog is away; its changes wait at their source",
               .refuse = "the changelog cannot be read until somebody helps; its changes wait at "
                         "their source, the other origins go on, and it is tried again",
               .back = "changelog is back"},
              origin_.value,
              metrics.gauge("tributary_consumer_failed",
                            "1 while the origin cannot be read for a reason that needs a person",
                            {{"origin", origin_.value}}),
              {settings.backoff_first, settings.backoff_max,
               static_cast<std::uint64_t>(clock.wall().count())}),
      connected_(metrics.gauge("tributary_consumer_changelog_connected",
                               "1 while attached to the origin's changelog",
                               {{"origin", origin_.value}})),
      read_bytes_(metrics.event_count("tributary_consumer_read_bytes_total",
                                      "Bytes read from the origin's changelog",
                                      {{"origin", origin_.value}})) {
  connected_.set(0);
}

Result<void> OriginReader::attach(const Attachment& attachment) {
  reader_.reset();
  attached_ = attachment;
  TRIBUTARY_ASSIGN(const auto last, changelog_.last(origin_));
  tail_ = last ? last->offset : Offset{};
  TRIBUTARY_ASSIGN(reader_, changelog_.open_reader(origin_, attachment.after));
  from_start_ = !attachment.after.has_value();
  connected_.set(1);
  return {};
}

Millis OriginReader::lost(const Error& error) {
  reader_.reset();
  connected_.set(0);
  return outage_.met(error);
}

Arrival OriginReader::receive(ChangelogMessage message) const {
  Arrival received{.origin = origin_,
                   .offset = message.offset,
                   .bytes = message.bytes.size(),
                   .batch = decode_batch(message.bytes),
                   .raw = {},
                   .from_start = from_start_ && message.offset <= tail_,
                   .at_tail = message.offset >= tail_};
  if (!received.batch) received.raw = std::move(message.bytes);
  return received;
}

Result<Millis> OriginReader::step(Millis wait) {
  const auto wanted = read_ahead_.attachment(origin_);
  if (!wanted) return Millis{10};
  if (reader_ == nullptr || wanted->generation != attached_.generation) {
    Attachment attachment = *wanted;
    const bool resume = wanted->generation == attached_.generation;
    if (resume) attachment.after = attached_.after;  // behind what was already handed over
    if (auto attached = attach(attachment); !attached) return lost(attached.error());
  }
  if (!read_ahead_.room(origin_)) return Millis{1};
  auto message = reader_->next(wait);
  if (!message) return lost(message.error());
  outage_.over();
  if (!*message) return Millis{0};
  read_bytes_.add(static_cast<double>((*message)->bytes.size()));
  attached_.after = (*message)->offset;
  read_ahead_.push(attached_.generation, receive(std::move(**message)));
  return Millis{0};
}

}  // namespace tributary
