#include "bench/redis_link.h"

#include <charconv>
#include <initializer_list>
#include <stdexcept>

#include <hiredis/hiredis.h>
#include <poll.h>

#include "connectors/replica/redis/endpoint.h"

namespace tributary::bench {
namespace {

void append_number(std::string& out, char mark, std::size_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.push_back(mark);
  out.append(digits, end);
  out.append("\r\n");
}

LinkReply checked(void* raw) {
  LinkReply reply(static_cast<redisReply*>(raw));
  if (reply && reply->type == REDIS_REPLY_ERROR) {
    throw std::runtime_error("redis: " + std::string(reply->str, reply->len));
  }
  return reply;
}

}  // namespace

void FreeLink::operator()(redisContext* context) const { redisFree(context); }
void FreeLinkReply::operator()(redisReply* reply) const { freeReplyObject(reply); }

void append_head(std::string& out, std::size_t words) { append_number(out, '*', words); }

void append_word(std::string& out, std::string_view word) {
  append_number(out, '$', word.size());
  out.append(word);
  out.append("\r\n");
}

RedisLink::RedisLink(const std::string& url) {
  const auto endpoint = redis::parse_url(url);
  if (!endpoint) throw std::runtime_error(endpoint.error().message);
  context_.reset(redisConnect(endpoint->host.c_str(), endpoint->port));
  if (!context_ || context_->err != 0) throw std::runtime_error("cannot connect to " + url);
  (void)call({"SELECT", std::to_string(endpoint->database)});
}

void RedisLink::send(const std::string& commands) {
  redisAppendFormattedCommand(context_.get(), commands.data(), commands.size());
  for (int done = 0; done == 0;) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) {
      throw std::runtime_error(std::string("redis: ") + context_->errstr);
    }
  }
}

LinkReply RedisLink::receive() {
  void* raw = nullptr;
  if (redisGetReply(context_.get(), &raw) != REDIS_OK) {
    throw std::runtime_error(std::string("redis: ") + context_->errstr);
  }
  return checked(raw);
}

LinkReply RedisLink::call(std::initializer_list<std::string_view> words) {
  std::string command;
  append_head(command, words.size());
  for (const std::string_view word : words) append_word(command, word);
  send(command);
  return receive();
}

LinkReply RedisLink::buffered() {
  void* raw = nullptr;
  if (redisGetReplyFromReader(context_.get(), &raw) != REDIS_OK) {
    throw std::runtime_error(std::string("redis: ") + context_->errstr);
  }
  return checked(raw);
}

LinkReply RedisLink::poll(int milliseconds) {
  if (auto reply = buffered()) return reply;
  pollfd readable{context_->fd, POLLIN, 0};
  if (::poll(&readable, 1, milliseconds) <= 0) return nullptr;
  if (redisBufferRead(context_.get()) != REDIS_OK) {
    throw std::runtime_error(std::string("redis: ") + context_->errstr);
  }
  return buffered();
}

}  // namespace tributary::bench
