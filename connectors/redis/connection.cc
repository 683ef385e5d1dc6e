#include <charconv>

#include <hiredis/hiredis.h>

#include <tributary/base/check.h>
#include <tributary/connectors/redis/connection.h>

namespace tributary::redis {
namespace {

timeval to_timeval(Millis wait) { return {wait.count() / 1000, (wait.count() % 1000) * 1000}; }

/// The kind of an error reply: what the caller can do about it.
Error from_reply(std::string_view message, const Endpoint& endpoint) {
  const std::string where = "replica " + endpoint.name() + ": ";
  for (const std::string_view word : {"NOAUTH", "WRONGPASS", "NOPERM", "ERR invalid password",
                                      "ERR AUTH", "ERR Client sent AUTH"}) {
    if (message.starts_with(word)) {
      return {ErrorKind::kFatal,
              where + std::string(message) + "; check the region's replica username and password"};
    }
  }
  for (const std::string_view word :
       {"LOADING", "READONLY", "MASTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "BUSY", "NOREPLICAS",
        "CLUSTERDOWN", "UNKILLABLE"}) {
    if (message.starts_with(word)) return {ErrorKind::kTransient, where + std::string(message)};
  }
  if (message.starts_with("NOSCRIPT")) return {ErrorKind::kConflict, std::string(message)};
  return {ErrorKind::kFatal, where + "refused a command: " + std::string(message)};
}

}  // namespace

void FreeReply::operator()(redisReply* reply) const { freeReplyObject(reply); }

void Command::length(char mark, std::size_t value) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), value);
  bytes_.push_back(mark);
  bytes_.append(digits, end);
  bytes_.append("\r\n", 2);
}

void Command::begin(std::size_t arguments) {
  bytes_.clear();
  length('*', arguments);
}

void Command::argument(std::string_view bytes) {
  length('$', bytes.size());
  bytes_.append(bytes);
  bytes_.append("\r\n", 2);
}

Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& endpoint) {
  redisContext* context = redisConnectWithTimeout(endpoint.host.c_str(), endpoint.port,
                                                  to_timeval(endpoint.connect_deadline));
  CHECK(context != nullptr);  // out of memory
  std::unique_ptr<Connection> connection(new Connection(endpoint, context));
  if (context->err != 0) return connection->broken("cannot connect");
  redisSetTimeout(context, to_timeval(endpoint.command_deadline));
  redisEnableKeepAlive(context);
  TRIBUTARY_TRY(connection->log_in());
  return connection;
}

Connection::~Connection() { redisFree(context_); }

Result<void> Connection::log_in() {
  if (!endpoint_.password.empty()) {
    auto answer = endpoint_.username.empty()
                      ? call({"AUTH", endpoint_.password})
                      : call({"AUTH", endpoint_.username, endpoint_.password});
    TRIBUTARY_TRY(std::move(answer));
  }
  if (endpoint_.database != 0) {
    TRIBUTARY_TRY(call({"SELECT", std::to_string(endpoint_.database)}));
  }
  TRIBUTARY_TRY(call({"PING"}));
  return {};
}

tl::unexpected<Error> Connection::broken(const std::string& what) const {
  return fail(ErrorKind::kTransient, "replica " + endpoint_.name() + ": " + what + ": " +
                                         (context_->err != 0 ? context_->errstr : "no reply"));
}

void Connection::queue(const Command& command) {
  redisAppendFormattedCommand(context_, command.bytes().data(), command.bytes().size());
}

void Connection::queue(std::initializer_list<std::string_view> arguments) {
  scratch_.begin(arguments.size());
  for (const std::string_view argument : arguments) scratch_.argument(argument);
  queue(scratch_);
}

Result<Reply> Connection::receive() {
  void* raw = nullptr;
  if (redisGetReply(context_, &raw) != REDIS_OK || raw == nullptr) {
    return broken("the connection broke");
  }
  Reply reply(static_cast<redisReply*>(raw));
  if (reply->type == REDIS_REPLY_ERROR) return fail(from_reply(text(*reply), endpoint_));
  return reply;
}

Result<Reply> Connection::call(std::initializer_list<std::string_view> arguments) {
  queue(arguments);
  return receive();
}

bool is_nil(const redisReply& reply) { return reply.type == REDIS_REPLY_NIL; }
bool is_array(const redisReply& reply) { return reply.type == REDIS_REPLY_ARRAY; }

std::string_view text(const redisReply& reply) {
  return reply.str == nullptr ? std::string_view{} : std::string_view(reply.str, reply.len);
}

std::int64_t integer(const redisReply& reply) { return reply.integer; }

std::size_t size(const redisReply& reply) { return is_array(reply) ? reply.elements : 0; }

const redisReply& at(const redisReply& reply, std::size_t index) {
  CHECK(index < size(reply));
  return *reply.element[index];
}

}  // namespace tributary::redis
