/// A TCP link to a server that tests can cut, stall and speak into.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace tributary::conformance {

/// Forwards one connection after another between a port of its own and a server on loopback.
class Link {
 public:
  explicit Link(std::uint16_t server_port);
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Stops taking what the client sends, as a broker that blocks publishers does.
  /// In force when the call returns.
  void stall(bool stalled);
  /// Carries no more than so many bytes a second, each way, and keeps few on the way: a slow link.
  /// For connections made from now on; 0: as fast as it goes.
  void throttle(std::size_t bytes_per_second) { rate_ = bytes_per_second; }
  /// Closes the current connection and refuses to carry another.
  void cut() { cut_ = true; }
  /// Sends `bytes` to the client, as if from the server. Only while the server is silent.
  void say(std::string_view bytes);

 private:
  void run();
  void carry(int client, int server);
  void carry_slowly(int client, int server, std::size_t rate);

  std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> stalled_{false};
  std::atomic<bool> cut_{false};
  std::atomic<std::size_t> rate_{0};
  std::atomic<std::uint64_t> rounds_{0};  ///< of polling
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::string to_say_;  ///< guarded by mutex_
  std::thread thread_;
};

/// A listening port on loopback; nothing is ever accepted.
class SilentPort {
 public:
  SilentPort();
  ~SilentPort();
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// From now on connections are refused.
  void close();

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace tributary::conformance
