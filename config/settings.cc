#include "config/settings.h"

namespace tributary::config {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kMebi = 1 << 20;

// The part of a topology that has members of a struct.
template <typename T>
auto& part(T& topology, const Limits*) {
  return topology.schema.limits;
}
template <typename T>
auto& part(T& topology, const Relay*) {
  return topology.relay;
}
template <typename T>
auto& part(T& topology, const Consumer*) {
  return topology.consumer;
}
template <typename T>
auto& part(T& topology, const ChangelogOptions*) {
  return topology.changelog;
}
template <typename T>
auto& part(T& topology, const ClockOptions*) {
  return topology.clock;
}

template <typename Section, typename Value>
Section section_of(Value Section::*);
template <typename Section, typename Value>
Value value_of(Value Section::*);

template <auto kMember>
constexpr Setting setting(std::string_view section, std::string_view key, std::int64_t least,
                          std::int64_t most) {
  using Section = decltype(section_of(kMember));
  using Value = decltype(value_of(kMember));
  constexpr const Section* kSection = nullptr;
  return {section,
          key,
          least,
          most,
          [](const Topology& topology) {
            return static_cast<std::int64_t>(part(topology, kSection).*kMember);
          },
          [](Topology& topology, std::int64_t value) {
            part(topology, kSection).*kMember = static_cast<Value>(value);
          }};
}

constexpr Setting kSettings[] = {
    setting<&Limits::key_bytes>("limits", "key_bytes", 1, 65'536),
    setting<&Limits::value_bytes>("limits", "value_bytes", 1, std::int64_t{kMaxChangeBytes}),
    setting<&Limits::transaction_changes>("limits", "transaction_changes", 1, 10'000'000),
    setting<&Limits::transaction_bytes>("limits", "transaction_bytes", 1, 64 * kMebi),
    setting<&Relay::batch_changes>("relay", "batch_changes", 1, 1'000'000),
    setting<&Relay::batch_bytes>("relay", "batch_bytes", 65'536, 4 * kMebi),
    setting<&Relay::unconfirmed_batches>("relay", "unconfirmed_batches", 1, 10'000),
    setting<&Relay::unconfirmed_bytes>("relay", "unconfirmed_bytes", 1024, kMebi* kMebi),
    setting<&Relay::unsaved_totals>("relay", "unsaved_totals", 1, 10'000'000),
    setting<&Relay::confirm_interval_ms>("relay", "confirm_interval_ms", 1, kMinute),
    setting<&Relay::poll_min_ms>("relay", "poll_min_ms", 1, kMinute),
    setting<&Relay::poll_max_ms>("relay", "poll_max_ms", 1, kMinute),
    setting<&Relay::heartbeat_ms>("relay", "heartbeat_ms", 10, kHour),
    setting<&Relay::heartbeat_max_ms>("relay", "heartbeat_max_ms", 10, kHour),
    setting<&Relay::housekeeping_ms>("relay", "housekeeping_ms", 100, kHour),
    setting<&Relay::context_refresh_ms>("relay", "context_refresh_ms", 1, kHour),
    setting<&Relay::lease_retry_ms>("relay", "lease_retry_ms", 1, kHour),
    setting<&Relay::backoff_first_ms>("relay", "backoff_first_ms", 1, kMinute),
    setting<&Relay::backoff_max_ms>("relay", "backoff_max_ms", 1, kHour),
    setting<&Relay::drain_ms>("relay", "drain_ms", 0, kHour),
    setting<&Consumer::group_deltas>("consumer", "group_deltas", 1, 1'000'000),
    setting<&Consumer::queue_batches>("consumer", "queue_batches", 1, 10'000),
    setting<&Consumer::queue_bytes>("consumer", "queue_bytes", 1024, kMebi* kMebi),
    setting<&Consumer::gap_patience_ms>("consumer", "gap_patience_ms", 0, kHour),
    setting<&Consumer::gap_retry_ms>("consumer", "gap_retry_ms", 1, kHour),
    setting<&Consumer::prune_ms>("consumer", "prune_ms", 1, kHour),
    setting<&Consumer::scrub_keys_per_second>("consumer", "scrub_keys_per_second", 0, 1'000'000),
    setting<&Consumer::backoff_first_ms>("consumer", "backoff_first_ms", 1, kMinute),
    setting<&Consumer::backoff_max_ms>("consumer", "backoff_max_ms", 1, kHour),
    setting<&ChangelogOptions::max_age_hours>("changelog", "max_age_hours", 0, 24 * 3650),
    setting<&ChangelogOptions::max_bytes>("changelog", "max_bytes", 0, kMebi* kMebi * 1024),
    setting<&ChangelogOptions::segment_bytes>("changelog", "segment_bytes", kMebi, 3'000'000'000),
    setting<&ClockOptions::max_skew_ms>("clock", "max_skew_ms", 0, kHour),
};

constexpr OrderedPair kOrdered[] = {
    {"limits", "value_bytes", "transaction_bytes"},
    {"relay", "poll_min_ms", "poll_max_ms"},
    {"relay", "backoff_first_ms", "backoff_max_ms"},
    {"consumer", "backoff_first_ms", "backoff_max_ms"},
};

}  // namespace

std::span<const Setting> settings() { return kSettings; }

std::span<const OrderedPair> ordered_settings() { return kOrdered; }

const Setting* find_setting(std::string_view section, std::string_view key) {
  for (const Setting& setting : kSettings) {
    if (setting.section == section && setting.key == key) return &setting;
  }
  return nullptr;
}

}  // namespace tributary::config
