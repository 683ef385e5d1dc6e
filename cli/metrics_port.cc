#include "cli/metrics_port.h"

#include <exception>

#include <prometheus/exposer.h>
#include <prometheus/registry.h>

#include "base/log.h"
#include "base/stop.h"

namespace tributary::cli {

class MetricsPort::Server {
 public:
  Server(const std::string& address, Metrics& metrics) : exposer_(address, 1) {
    exposer_.RegisterCollectable(metrics.registry());
  }

 private:
  prometheus::Exposer exposer_;
};

MetricsPort::MetricsPort(std::string address, Metrics& metrics, Millis retry)
    : address_(std::move(address)), metrics_(metrics), retry_(retry) {
  if (address_.empty()) return;
  const std::string why = try_to_serve();
  if (why.empty()) return;
  log::warn(
      "cannot serve metrics there yet, trying again; choose another address with --metrics, "
      "or under metrics in the topology",
      {{"address", address_}, {"reason", why}});
  retrier_ = std::jthread([this](const std::stop_token& stop) { keep_trying(stop); });
}

MetricsPort::~MetricsPort() = default;

std::string MetricsPort::try_to_serve() try {
  server_ = std::make_unique<Server>(address_, metrics_);
  log::info("serving metrics", {{"address", address_}});
  return "";
} catch (const std::exception& error) {
  return error.what();
}

void MetricsPort::keep_trying(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    sleep_unless_stopped(retry_, stop);
    if (!stop.stop_requested() && try_to_serve().empty()) return;
  }
}

}  // namespace tributary::cli
