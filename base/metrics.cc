#include "base/metrics.h"

#include <deque>
#include <mutex>
#include <unordered_map>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

namespace tributary {
namespace {

class PrometheusEventCount final : public EventCount {
 public:
  explicit PrometheusEventCount(prometheus::Counter& counter) : counter_(counter) {}
  void add(double amount) override { counter_.Increment(amount); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void set(double value) override { gauge_.Set(value); }

 private:
  prometheus::Gauge& gauge_;
};

}  // namespace

struct Metrics::Impl {
  std::shared_ptr<prometheus::Registry> registry = std::make_shared<prometheus::Registry>();
  std::mutex mutex;
  std::deque<PrometheusEventCount> counters;
  std::deque<PrometheusGauge> gauges;
  std::unordered_map<prometheus::Counter*, EventCount*> counter_of;
  std::unordered_map<prometheus::Gauge*, Gauge*> gauge_of;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

EventCount& Metrics::event_count(const std::string& name, const std::string& help,
                                 const Labels& labels) {
  const std::scoped_lock lock(impl_->mutex);
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(*impl_->registry);
  prometheus::Counter& counter = family.Add(labels);
  auto [entry, fresh] = impl_->counter_of.try_emplace(&counter, nullptr);
  if (fresh) entry->second = &impl_->counters.emplace_back(counter);
  return *entry->second;
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::scoped_lock lock(impl_->mutex);
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(*impl_->registry);
  prometheus::Gauge& gauge = family.Add(labels);
  auto [entry, fresh] = impl_->gauge_of.try_emplace(&gauge, nullptr);
  if (fresh) entry->second = &impl_->gauges.emplace_back(gauge);
  return *entry->second;
}

std::shared_ptr<prometheus::Registry> Metrics::registry() const { return impl_->registry; }

}  // namespace tributary
