/// What a closed connection or channel means, by its reply code and the method refused.
#include "connectors/changelog/rabbitmq/errors.h"
#include "connectors/changelog/rabbitmq/retention.h"
#include "tests/conformance/changelog/subject.h"

namespace tributary::conformance {

namespace {

using rabbitmq::CloseReason;

/// Words that would mislead whoever went by them.
Error closed(std::uint16_t code, std::uint16_t class_id, std::uint16_t method_id,
             std::string role = "reader") {
  const rabbitmq::Party party{.broker = "rabbitmq amqp://broker-eu:5672",
                              .vhost = "/",
                              .user = "reader-us",
                              .stream = "tributary.shop",
                              .role = std::move(role)};
  const CloseReason closing{code, "ZUGRIFF_VERWEIGERT - not found, precondition", class_id,
                            method_id};
  return rabbitmq::close_error(party, "doing", closing);
}

bool says(const Error& error, std::string_view what) {
  return error.message.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a missing right is fatal, and the message names right, resource, user and broker") {
  struct Row {
    std::uint16_t class_id, method_id;
    const char* right;
  };
  for (const Row& row : {Row{50, 10, "configure permission on \"tributary.shop\""},
                         Row{60, 20, "read permission on \"tributary.shop\""},
                         Row{60, 40, "write permission on \"amq.default\""}}) {
    const Error error = closed(403, row.class_id, row.method_id);
    CHECK(error.kind == ErrorKind::kFatal);
    CHECK(says(error, row.right));
    CHECK(says(error, "\"reader-us\""));
    CHECK(says(error, "broker-eu:5672"));
  }
}

TEST_CASE("a refused login is fatal and told from a missing right") {
  const Error error = closed(403, 0, 0);
  CHECK(error.kind == ErrorKind::kFatal);
  CHECK(says(error, "password"));
  CHECK_FALSE(says(error, "permission on"));
}

TEST_CASE("a message that the broker finds too large is invalid, and nothing is said to be lost") {
  for (const Error& error : {closed(406, 60, 40, "writer"), closed(311, 60, 40, "writer"),
                             closed(501, 0, 0, "writer")}) {
    CHECK(error.kind == ErrorKind::kInvalid);
    CHECK(says(error, "max_message_size"));
    CHECK(says(error, "Nothing is lost"));
  }
}

TEST_CASE("what passes by itself is transient, whatever the broker's words") {
  CHECK(closed(404, 60, 20).kind == ErrorKind::kTransient);
  CHECK(closed(320, 0, 0).kind == ErrorKind::kTransient);
  CHECK(closed(406, 0, 0).kind == ErrorKind::kTransient);  // a consumer too slow to acknowledge
  CHECK(closed(501, 0, 0).kind == ErrorKind::kTransient);
  CHECK(closed(541, 60, 20).kind == ErrorKind::kTransient);
}

TEST_CASE("limits of a stream that is there are set by a policy on this stream alone") {
  CHECK(
      rabbitmq::retention_policy("amqp://b:5672", OriginName{"shop"}, std::chrono::hours(720), 0) ==
      "rabbitmqctl set_policy -p '/' 'tributary.shop' '^tributary\\.shop$' '{\"max-age\": "
      "\"2592000s\", \"max-length-bytes\": 9223372036854775807}' --apply-to queues");
  CHECK(rabbitmq::retention_policy("amqp://b", OriginName{"shop"}, std::chrono::hours(0), 1000)
            .find("\"max-age\": \"1000Y\", \"max-length-bytes\": 1000") != std::string::npos);
}

TEST_CASE("the policy is for the virtual host of the broker's URL, whatever it is called") {
  const auto policy = [](const char* url) {
    return rabbitmq::retention_policy(url, OriginName{"shop"}, std::chrono::hours(0), 0);
  };
  CHECK(policy("amqps://u:p@b/prod").starts_with("rabbitmqctl set_policy -p 'prod' 'tributary."));
  CHECK(policy("amqp://b/it%27s%20ours").starts_with("rabbitmqctl set_policy -p 'it'\\''s ours' "));
}

}  // namespace tributary::conformance
