/// RabbitMQ behind a link that fails.
#include "connectors/changelog/rabbitmq/address.h"
#include "tests/conformance/changelog/link.h"
#include "tests/conformance/changelog/subject.h"

namespace tributary::conformance {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// The broker as seen through a link, with a short deadline.
struct Scene {
  RabbitmqSubject& subject;
  Link link;
  OriginName origin = fresh_origin();
  std::unique_ptr<Changelog> changelog;

  explicit Scene(RabbitmqSubject& given)
      : subject(given),
        link(static_cast<std::uint16_t>(must(rabbitmq::parse_address(given.endpoint)).port)) {
    const auto address = must(rabbitmq::parse_address(given.endpoint));
    rabbitmq::Endpoint through = given.endpoint;
    through.url = "amqp://127.0.0.1:" + std::to_string(link.port());
    through.username = address.username;
    through.password = [word = address.password] { return word; };
    through.deadline = Millis{1000};
    must(given.changelog()->declare(origin));
    changelog = must(rabbitmq::make_changelog(through));
  }
};

std::string frame(std::uint16_t method, std::string_view arguments) {
  std::string payload = {'\0', '\x0a', static_cast<char>(method >> 8), static_cast<char>(method)};
  payload += arguments;
  std::string bytes = {'\x01', '\0', '\0', '\0', '\0', '\0', static_cast<char>(payload.size())};
  return bytes + payload + '\xce';
}

}  // namespace

TEST_CASE("publish() gives up within the deadline when the broker stops reading") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  for (const std::size_t size : {std::size_t{64} << 10, std::size_t{48} << 20}) {
    Scene scene(subject);
    const auto writer = must(scene.changelog->open_writer(scene.origin));
    scene.link.stall(true);
    const std::string message(size, 'x');
    Result<void> published;
    SteadyClock::duration longest{};
    for (std::uint64_t tag = 1; tag < 2000 && published; ++tag) {
      const auto start = SteadyClock::now();
      published = writer->publish(tag, message);
      longest = std::max(longest, SteadyClock::now() - start);
    }
    REQUIRE_FALSE(published.has_value());
    CHECK(published.error().kind == ErrorKind::kTransient);
    CHECK(longest < std::chrono::milliseconds(1500));
  }
}

TEST_CASE("a message larger than the socket's buffer passes in pieces") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  Scene scene(subject);
  const auto writer = must(scene.changelog->open_writer(scene.origin));
  std::vector<std::string> sent;
  for (int i = 0; i < 4; ++i)
    sent.push_back(std::string(7'000'001 + i, static_cast<char>('a' + i)));
  publish_all(*writer, sent);
  const auto reader = must(subject.changelog()->open_reader(scene.origin, std::nullopt));
  CHECK((read_some(*reader, 4) == sent));
}

TEST_CASE("connection.blocked and unblocked are understood") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  Scene scene(subject);
  const auto writer = must(scene.changelog->open_writer(scene.origin));
  CHECK_FALSE(writer->blocked());
  scene.link.say(frame(60, "\x0blow on disk"));
  must(writer->confirmed(Millis{5000}));
  CHECK(writer->blocked());
  scene.link.say(frame(61, ""));
  must(writer->confirmed(Millis{5000}));
  CHECK_FALSE(writer->blocked());
  publish_all(*writer, {"after the block"});
}

TEST_CASE("a cut link is a transient error for writer and reader") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  for (const bool reading : {false, true}) {
    Scene scene(subject);
    if (reading) {
      const auto reader = must(scene.changelog->open_reader(scene.origin, std::nullopt));
      scene.link.cut();
      const auto next = reader->next(Millis{5000});
      REQUIRE_FALSE(next.has_value());
      CHECK(next.error().kind == ErrorKind::kTransient);
    } else {
      const auto writer = must(scene.changelog->open_writer(scene.origin));
      publish_all(*writer, {"arrives"});
      scene.link.stall(true);
      must(writer->publish(2, "does not arrive"));
      scene.link.cut();
      CHECK(confirm_error(*writer).kind == ErrorKind::kTransient);
      CHECK(must(subject.changelog()->last(scene.origin))->bytes == "arrives");
    }
  }
}

}  // namespace tributary::conformance
