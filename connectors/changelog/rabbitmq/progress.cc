#include "connectors/changelog/rabbitmq/progress.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace tributary::rabbitmq {

namespace {

/// A heartbeat is 8 bytes, with TLS some 40: it proves life, but no progress.
constexpr std::uint64_t kWorthTheName = 128;

}  // namespace

Progress::Progress(int socket, Direction direction, Millis patience)
    : socket_(socket), direction_(direction), patience_(patience) {
  restart();
}

void Progress::restart() {
  seen_ = moved();
  seen_by_idle_ = seen_;
  until_ = clock_.monotonic() + patience_;
}

bool Progress::stalled() {
  const std::uint64_t now = moved();
  if (now >= seen_ + kWorthTheName) {
    seen_ = now;
    until_ = clock_.monotonic() + patience_;
  }
  return clock_.monotonic() >= until_;
}

bool Progress::idle() {
  const std::uint64_t now = moved();
  const bool idle = now < seen_by_idle_ + kWorthTheName;
  seen_by_idle_ = now;
  return idle;
}

std::uint64_t Progress::moved() const {
  tcp_info info{};
  socklen_t size = sizeof(info);
  if (getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return direction_ == Direction::kSending ? info.tcpi_bytes_acked : info.tcpi_bytes_received;
}

}  // namespace tributary::rabbitmq
