#include "bench/observer.h"

#include <charconv>
#include <stdexcept>

#include <hiredis/hiredis.h>

namespace tributary::bench {

Observer::Observer(const std::string& url, std::span<const std::string> prefixes, std::size_t count)
    : messages_(url), tracker_(url), visible_(count) {
  const std::string id = std::to_string(messages_.call({"CLIENT", "ID"})->integer);
  (void)messages_.call({"SUBSCRIBE", "__redis__:invalidate"});
  std::string command;
  append_head(command, 6 + 2 * prefixes.size());
  for (const char* word : {"CLIENT", "TRACKING", "ON", "REDIRECT"}) append_word(command, word);
  append_word(command, id);
  append_word(command, "BCAST");
  for (const std::string& prefix : prefixes) {
    append_word(command, "PREFIX");
    append_word(command, prefix);
  }
  tracker_.send(command);
  (void)tracker_.receive();
}

void Observer::step(int milliseconds) {
  const LinkReply reply = messages_.poll(milliseconds);
  if (!reply) return;
  const Moment now = std::chrono::steady_clock::now();
  if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) return;
  const redisReply& keys = *reply->element[2];
  if (keys.type != REDIS_REPLY_ARRAY) {
    throw std::runtime_error("somebody flushed a Redis under measurement");
  }
  for (std::size_t i = 0; i < keys.elements; ++i) {
    note({keys.element[i]->str, static_cast<std::size_t>(keys.element[i]->len)}, now);
  }
}

void Observer::note(std::string_view key, Moment now) {
  const std::string_view digits = key.substr(key.find(':') + 1);
  std::size_t number = visible_.size();
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (number >= visible_.size() || visible_[number] != Moment{}) return;
  visible_[number] = now;
  ++seen_;
}

}  // namespace tributary::bench
