/// What a metric of a process under test says.
#pragma once

#include <optional>
#include <string>

#include <prometheus/registry.h>

#include "base/metrics.h"

namespace tributary {

/// The gauge of that name and origin (none: of no origin); nullopt: there is none.
inline std::optional<double> gauge_value(const Metrics& metrics, const std::string& name,
                                         const std::string& origin) {
  for (const auto& family : metrics.registry()->Collect()) {
    if (family.name != name) continue;
    for (const auto& metric : family.metric) {
      const std::string of = metric.label.empty() ? "" : metric.label.front().value;
      if (of == origin) return metric.gauge.value;
    }
  }
  return std::nullopt;
}

}  // namespace tributary
