#include "tests/conformance/changelog/link.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tributary::conformance {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

sockaddr* plain(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

int listen_anywhere(std::uint16_t& port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  REQUIRE(::bind(listener, plain(address), sizeof(address)) == 0);
  REQUIRE(::listen(listener, 16) == 0);
  socklen_t size = sizeof(address);
  REQUIRE(::getsockname(listener, plain(address), &size) == 0);
  port = ntohs(address.sin_port);
  return listener;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool forward(int from, int to, std::size_t most = 65536) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::recv(from, buffer.data(), std::min(buffer.size(), most), 0);
  return got > 0 && send_all(to, {buffer.data(), static_cast<std::size_t>(got)});
}

/// Small buffers, so that few bytes are on their way.
void keep_few(int socket) {
  const int bytes = 32 << 10;
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

}  // namespace

Link::Link(std::uint16_t server_port) : server_port_(server_port) {
  listener_ = listen_anywhere(port_);
  thread_ = std::thread([this] { run(); });
}

Link::~Link() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

void Link::stall(bool stalled) {
  stalled_ = stalled;
  const std::uint64_t now = rounds_;
  while (rounds_ < now + 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void Link::say(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  to_say_ += bytes;
}

void Link::run() {
  while (!stop_) {
    ++rounds_;
    pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 10) != 1) continue;
    const std::size_t rate = rate_;
    if (rate > 0) keep_few(listener_);  // what is accepted inherits it
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (rate > 0) keep_few(server);
    sockaddr_in address = loopback(server_port_);
    if (!cut_ && ::connect(server, plain(address), sizeof(address)) == 0) {
      rate > 0 ? carry_slowly(client, server, rate) : carry(client, server);
    }
    ::close(client);
    ::close(server);
  }
}

void Link::carry(int client, int server) {
  while (!stop_ && !cut_) {
    ++rounds_;
    std::array<pollfd, 2> ends{{{.fd = server, .events = POLLIN, .revents = 0},
                                {.fd = stalled_ ? -1 : client, .events = POLLIN, .revents = 0}}};
    ::poll(ends.data(), ends.size(), 5);
    if (ends[0].revents != 0 && !forward(server, client)) return;
    if (ends[1].revents != 0 && !forward(client, server)) return;
    const std::lock_guard lock(mutex_);
    if (!send_all(client, std::exchange(to_say_, {}))) return;
  }
}

void Link::carry_slowly(int client, int server, std::size_t rate) {
  constexpr std::size_t kTicks = 50;  // a second
  while (!stop_ && !cut_) {
    ++rounds_;
    std::this_thread::sleep_for(std::chrono::milliseconds(1000 / kTicks));
    std::array<pollfd, 2> ends{{{.fd = server, .events = POLLIN, .revents = 0},
                                {.fd = client, .events = POLLIN, .revents = 0}}};
    ::poll(ends.data(), ends.size(), 0);
    if (ends[0].revents != 0 && !forward(server, client, rate / kTicks)) return;
    if (ends[1].revents != 0 && !forward(client, server, rate / kTicks)) return;
  }
}

SilentPort::SilentPort() { socket_ = listen_anywhere(port_); }

SilentPort::~SilentPort() { close(); }

void SilentPort::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

}  // namespace tributary::conformance
