#include "connectors/replica/redis/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <hiredis/hiredis.h>
#include <sys/socket.h>

#include "base/check.h"

namespace tributary::redis {
namespace {

struct KnownError {
  std::string_view start;
  ErrorKind kind;
  std::string_view advice;
};

constexpr Millis kForAMegabyte{1000};  // of a large script, on a busy machine

constexpr std::string_view kGrant =
    "grant the user this command and the keys (ACL SETUSER; docs/operations.md lists them)";

/// Error replies by their first words, most specific first.
constexpr std::array kKnownErrors{
    KnownError{"NOSCRIPT", ErrorKind::kConflict, ""},
    KnownError{"NOAUTH", ErrorKind::kFatal, "give the replica's username and password"},
    KnownError{"WRONGPASS", ErrorKind::kFatal, "check the replica's username and password"},
    KnownError{"ERR AUTH", ErrorKind::kFatal,
               "this Redis has no password; remove the configured one"},
    KnownError{"ERR invalid password", ErrorKind::kFatal, "check the replica's password"},
    KnownError{"NOPERM", ErrorKind::kFatal, kGrant},
    KnownError{"ERR The user executing the script can't", ErrorKind::kFatal, kGrant},
    KnownError{"DENIED", ErrorKind::kFatal, "set a password or a bind address on this Redis"},
    KnownError{"ERR DB index", ErrorKind::kFatal, "check the database number of the replica's URL"},
    KnownError{"WRONGTYPE", ErrorKind::kFatal,
               "another program has written to a key named tributary:…; move it away"},
    KnownError{"MOVED", ErrorKind::kFatal, "Redis Cluster is not supported"},
    KnownError{"CROSSSLOT", ErrorKind::kFatal, "Redis Cluster is not supported"},
    KnownError{"ERR max number of clients", ErrorKind::kTransient, "raise maxclients"},
    KnownError{"LOADING", ErrorKind::kTransient, "it is still loading its data"},
    KnownError{"READONLY", ErrorKind::kTransient,
               "this is a replica; the URL must lead to the master"},
    KnownError{"MASTERDOWN", ErrorKind::kTransient, "it has lost its master"},
    KnownError{"CLUSTERDOWN", ErrorKind::kTransient, ""},
    KnownError{"TRYAGAIN", ErrorKind::kTransient, ""},
    KnownError{"NOREPLICAS", ErrorKind::kTransient, "too few of its replicas are connected"},
    KnownError{"OOM", ErrorKind::kTransient, "raise maxmemory"},
    KnownError{"MISCONF", ErrorKind::kTransient, "it cannot save to disk; see its log"},
    KnownError{"BUSY", ErrorKind::kTransient,
               "a large commit, or another program's script, takes long; let it end by itself"},
};

Error from_reply(std::string_view message, const std::string& where) {
  const auto known =
      std::find_if(kKnownErrors.begin(), kKnownErrors.end(),
                   [&](const KnownError& each) { return message.starts_with(each.start); });
  if (known == kKnownErrors.end()) {
    return {ErrorKind::kFatal, where + "refused a command: " + std::string(message)};
  }
  if (known->kind == ErrorKind::kConflict) return {known->kind, std::string(message)};
  std::string text = where + std::string(message);
  if (!known->advice.empty()) text.append(": ").append(known->advice);
  return {known->kind, std::move(text)};
}

timeval to_timeval(Millis wait) { return {wait.count() / 1000, (wait.count() % 1000) * 1000}; }

bool timed_out(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == ETIMEDOUT; }

}  // namespace

void FreeReply::operator()(redisReply* reply) const { freeReplyObject(reply); }
void FreeContext::operator()(redisContext* context) const { redisFree(context); }

Connection::Connection(std::string where, const Endpoint& endpoint, redisContext* context)
    : where_(std::move(where)), command_deadline_(endpoint.command_deadline), context_(context) {}

Result<std::unique_ptr<Connection>> Connection::open(const Endpoint& endpoint) {
  const timeval wait = to_timeval(endpoint.connect_deadline);
  redisContext* context = endpoint.socket.empty()
                              ? redisConnectWithTimeout(endpoint.host.c_str(), endpoint.port, wait)
                              : redisConnectUnixWithTimeout(endpoint.socket.c_str(), wait);
  CHECK(context != nullptr);  // out of memory
  std::unique_ptr<Connection> connection(
      new Connection("replica " + endpoint.name() + ": ", endpoint, context));
  if (context->err != 0) {
    return connection->die("cannot connect: " + std::string(context->errstr));
  }
  redisSetTimeout(context, to_timeval(endpoint.command_deadline));
  if (endpoint.socket.empty()) redisEnableKeepAlive(context);
  TRIBUTARY_TRY(connection->log_in(endpoint));
  return connection;
}

Result<void> Connection::log_in(const Endpoint& endpoint) {
  if (!endpoint.password.empty()) {
    auto reply = endpoint.username.empty() ? call({"AUTH", endpoint.password})
                                           : call({"AUTH", endpoint.username, endpoint.password});
    // A Redis whose AUTH was renamed repeats the arguments.
    if (!reply && reply.error().message.find(endpoint.password) != std::string::npos) {
      return fail(reply.error().kind, where_ + "it refused AUTH; is the command renamed?");
    }
    TRIBUTARY_TRY(std::move(reply));
  }
  // A connection starts on database 0; the user need not be allowed to SELECT it.
  if (endpoint.database != 0) TRIBUTARY_TRY(call({"SELECT", std::to_string(endpoint.database)}));
  return {};
}

tl::unexpected<Error> Connection::die(const std::string& why) {
  dead_ = true;
  return fail(ErrorKind::kTransient, where_ + why);
}

void Connection::queue(std::initializer_list<std::string_view> arguments) {
  queue(arguments, Arguments{});
}

void Connection::queue(std::initializer_list<std::string_view> first, const Arguments& rest) {
  append_head(out_, '*', first.size() + rest.size());
  for (const std::string_view argument : first) {
    append_head(out_, '$', argument.size());
    out_.append(argument).append("\r\n");
  }
  out_.append(rest.bytes());
  ++queued_;
}

/// The server works on what it was sent before it answers, and a key that is made whole may have
/// many megabytes.
void Connection::allow(std::size_t bytes) {
  const Millis more = kForAMegabyte * (bytes >> 20);
  if (more == allowed_) return;
  allowed_ = more;
  redisSetTimeout(context_.get(), to_timeval(command_deadline_ + more));
}

Result<void> Connection::send() {
  if (dead_) return die("the connection is dead; open a new one");
  allow(out_.size());
  // Not hiredis' own writer: it knows no MSG_NOSIGNAL and copies the command once more.
  std::string_view rest = out_;
  while (!rest.empty()) {
    const ssize_t sent = ::send(context_->fd, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && timed_out(errno)) {
      return die("it took no command within " + std::to_string(command_deadline_.count()) + " ms");
    }
    if (sent < 0) return die("the connection broke: " + std::string(std::strerror(errno)));
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  if (out_.capacity() > kKeptBuffer) out_ = {};
  out_.clear();
  unanswered_ += std::exchange(queued_, 0);
  return {};
}

Result<Reply> Connection::receive(std::initializer_list<std::string_view> tolerated) {
  if (dead_) return die("the connection is dead; open a new one");
  CHECK(unanswered_ > 0);
  --unanswered_;
  void* raw = nullptr;
  if (redisGetReply(context_.get(), &raw) != REDIS_OK || raw == nullptr) {
    if (timed_out(errno) && context_->err == REDIS_ERR_IO) {
      return die("no answer within " + std::to_string((command_deadline_ + allowed_).count()) +
                 " ms");
    }
    return die("the connection broke: " + std::string(context_->errstr));
  }
  Reply reply(static_cast<redisReply*>(raw));
  if (reply->type != REDIS_REPLY_ERROR) return reply;
  for (const std::string_view start : tolerated) {
    if (text(*reply).starts_with(start)) return reply;
  }
  Error error = from_reply(text(*reply), where_);
  // An answer left unread would be taken for the answer to the next command.
  dead_ = error.kind == ErrorKind::kTransient || unanswered_ > 0;
  return fail(std::move(error));
}

Result<Reply> Connection::call(std::initializer_list<std::string_view> arguments) {
  return call(arguments, Arguments{});
}

Result<Reply> Connection::call(std::initializer_list<std::string_view> first,
                               const Arguments& rest) {
  queue(first, rest);
  TRIBUTARY_TRY(send());
  return receive();
}

bool is_error(const redisReply& reply) { return reply.type == REDIS_REPLY_ERROR; }

bool is_nil(const redisReply& reply) { return reply.type == REDIS_REPLY_NIL; }

std::string_view text(const redisReply& reply) {
  if (reply.str == nullptr) return {};
  return {reply.str, static_cast<std::size_t>(reply.len)};
}

std::int64_t integer(const redisReply& reply) { return reply.integer; }

std::size_t size(const redisReply& reply) {
  return reply.type == REDIS_REPLY_ARRAY ? reply.elements : 0;
}

const redisReply& at(const redisReply& reply, std::size_t index) {
  CHECK(index < size(reply));
  return *reply.element[index];
}

}  // namespace tributary::redis
