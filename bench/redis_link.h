/// A Redis connection for the benchmarks: they fail at once, with a message, when anything is
/// wrong.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct redisContext;
struct redisReply;

namespace tributary::bench {

struct FreeLink {
  void operator()(redisContext* context) const;
};
struct FreeLinkReply {
  void operator()(redisReply* reply) const;
};
using LinkReply = std::unique_ptr<redisReply, FreeLinkReply>;

/// Appends one word, or the head of a command of `words` words, in Redis's wire format.
void append_word(std::string& out, std::string_view word);
void append_head(std::string& out, std::size_t words);

/// One thread. Every failure, an error reply too, throws std::runtime_error.
class RedisLink {
 public:
  /// redis://host:port/database
  explicit RedisLink(const std::string& url);

  /// Sends commands in wire format without waiting for answers.
  void send(const std::string& commands);
  /// The next answer.
  [[nodiscard]] LinkReply receive();
  [[nodiscard]] LinkReply call(std::initializer_list<std::string_view> words);
  /// The next answer if one comes within `milliseconds`, or null.
  [[nodiscard]] LinkReply poll(int milliseconds);

 private:
  [[nodiscard]] LinkReply buffered();
  std::unique_ptr<redisContext, FreeLink> context_;
};

}  // namespace tributary::bench
