/// The port where a daemon serves its metrics.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/metrics.h"

namespace tributary::cli {

/// Serves as long as it lives. When the address is taken (by a standby's leader, say) it warns
/// once, and goes on trying in the background: no daemon ends for its metrics.
class MetricsPort {
 public:
  /// An empty address: serves nowhere. `metrics` must outlive it.
  MetricsPort(std::string address, Metrics& metrics, Millis retry = Millis{5000});
  ~MetricsPort();
  MetricsPort(const MetricsPort&) = delete;
  MetricsPort& operator=(const MetricsPort&) = delete;

 private:
  class Server;

  /// Why it cannot be served; empty: it is.
  std::string try_to_serve();
  void keep_trying(const std::stop_token& stop);

  std::string address_;
  Metrics& metrics_;
  Millis retry_;
  std::unique_ptr<Server> server_;
  std::jthread retrier_;  // ends before server_ goes
};

}  // namespace tributary::cli
