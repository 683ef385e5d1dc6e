/// One connection to Redis: commands are queued as RESP and answered in order.
/// Not for: anything about replicas.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tributary/base/result.h>
#include <tributary/connectors/redis/endpoint.h>

struct redisContext;
struct redisReply;

namespace tributary::redis {

struct FreeReply {
  void operator()(redisReply* reply) const;
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

/// Assembles one command in a reusable buffer.
class Command {
 public:
  void begin(std::size_t arguments);
  void argument(std::string_view bytes);
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void length(char mark, std::size_t value);
  std::string bytes_;
};

/// One thread. After a transient error the connection is dead.
class Connection {
 public:
  /// Connects, logs in and selects the database.
  [[nodiscard]] static Result<std::unique_ptr<Connection>> open(const Endpoint& endpoint);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Queues a command; nothing is sent before the next receive().
  void queue(const Command& command);
  void queue(std::initializer_list<std::string_view> arguments);
  /// Sends what is queued and reads the next reply. An error reply is an error here.
  [[nodiscard]] Result<Reply> receive();
  /// queue() and receive().
  [[nodiscard]] Result<Reply> call(std::initializer_list<std::string_view> arguments);

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }

 private:
  Connection(Endpoint endpoint, redisContext* context)
      : endpoint_(std::move(endpoint)), context_(context) {}
  Result<void> log_in();
  [[nodiscard]] tl::unexpected<Error> broken(const std::string& what) const;

  Endpoint endpoint_;
  redisContext* context_;
  Command scratch_;
};

[[nodiscard]] bool is_nil(const redisReply& reply);
[[nodiscard]] bool is_array(const redisReply& reply);
[[nodiscard]] std::string_view text(const redisReply& reply);
[[nodiscard]] std::int64_t integer(const redisReply& reply);
[[nodiscard]] std::size_t size(const redisReply& reply);
[[nodiscard]] const redisReply& at(const redisReply& reply, std::size_t index);

}  // namespace tributary::redis
