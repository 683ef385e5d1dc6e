/// One connection to Redis: commands are queued and answered in order.
/// Not for: knowing what a replica is (see replica_store.cc).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include <tributary/base/result.h>

#include "base/clock.h"
#include "connectors/replica/redis/arguments.h"
#include "connectors/replica/redis/endpoint.h"

struct redisContext;
struct redisReply;

namespace tributary::redis {

struct FreeReply {
  void operator()(redisReply* reply) const;
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

struct FreeContext {
  void operator()(redisContext* context) const;
};

/// One thread at a time. After a transient error, and after an error that left answers unread, the
/// connection is dead and says so: open a new one.
class Connection {
 public:
  /// Connects, logs in and selects the database. kTransient when no Redis answers, kFatal when
  /// the credentials or the database are refused.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const Endpoint& endpoint);

  /// Queues "arguments[0] arguments[1] …"; nothing is sent before send().
  void queue(std::initializer_list<std::string_view> arguments);
  /// Queues a command that starts with `first` and goes on with `rest`.
  void queue(std::initializer_list<std::string_view> first, const Arguments& rest);
  /// Sends what is queued. Never raises SIGPIPE.
  [[nodiscard]] Result<void> send();
  /// The next answer, in the order of the commands. An error reply is an Error; its kind tells what
  /// the caller can do.
  /// One that starts with one of `tolerated` is handed over as any other reply.
  [[nodiscard]] Result<Reply> receive(std::initializer_list<std::string_view> tolerated = {});
  /// queue(), send() and receive().
  [[nodiscard]] Result<Reply> call(std::initializer_list<std::string_view> arguments);
  [[nodiscard]] Result<Reply> call(std::initializer_list<std::string_view> first,
                                   const Arguments& rest);

  /// "replica redis://…: ", to open a message with.
  [[nodiscard]] const std::string& where() const { return where_; }

 private:
  Connection(std::string where, const Endpoint& endpoint, redisContext* context);
  Result<void> log_in(const Endpoint& endpoint);
  void allow(std::size_t bytes);
  [[nodiscard]] tl::unexpected<Error> die(const std::string& why);

  std::string where_;
  Millis command_deadline_;
  Millis allowed_{0};  ///< beyond it, for the bytes sent last
  std::unique_ptr<redisContext, FreeContext> context_;
  std::string out_;
  std::size_t queued_ = 0;      ///< commands in out_
  std::size_t unanswered_ = 0;  ///< commands sent
  bool dead_ = false;
};

// What is in a reply.
[[nodiscard]] bool is_error(const redisReply& reply);
[[nodiscard]] bool is_nil(const redisReply& reply);
[[nodiscard]] std::string_view text(const redisReply& reply);
[[nodiscard]] std::int64_t integer(const redisReply& reply);
/// 0 unless it is an array.
[[nodiscard]] std::size_t size(const redisReply& reply);
[[nodiscard]] const redisReply& at(const redisReply& reply, std::size_t index);

}  // namespace tributary::redis
