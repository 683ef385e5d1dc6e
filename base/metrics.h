/// Named counters and gauges of one process, in Prometheus terms. Not for: serving them (see cli).
#pragma once

#include <map>
#include <memory>
#include <string>

namespace prometheus {
class Registry;
}

namespace tributary {

/// A number that only grows. Thread-safe; lives as long as its Metrics.
class EventCount {
 public:
  virtual ~EventCount() = default;
  virtual void add(double amount) = 0;
};

/// A number that goes up and down. Thread-safe; lives as long as its Metrics.
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
};

using Labels = std::map<std::string, std::string>;

/// Thread-safe. Asking twice for the same name and labels gives the same metric.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  [[nodiscard]] EventCount& event_count(const std::string& name, const std::string& help,
                                        const Labels& labels);
  [[nodiscard]] Gauge& gauge(const std::string& name, const std::string& help,
                             const Labels& labels);
  /// For the HTTP exposer.
  [[nodiscard]] std::shared_ptr<prometheus::Registry> registry() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary
