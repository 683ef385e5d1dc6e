/// RabbitMQ behind a slow link: what moves is not given up, however long the whole takes.
#include "connectors/changelog/rabbitmq/address.h"
#include "tests/conformance/changelog/link.h"
#include "tests/conformance/changelog/subject.h"

namespace tributary::conformance {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kRate = 2 << 20;
constexpr Millis kDeadline{1000};
/// A message takes longer than the deadline.
constexpr std::size_t kLarge = 8 << 20;

/// The broker as seen through a slow link.
struct SlowScene {
  RabbitmqSubject& subject;
  Link link;
  OriginName origin = fresh_origin();
  std::unique_ptr<Changelog> changelog;

  explicit SlowScene(RabbitmqSubject& given)
      : subject(given),
        link(static_cast<std::uint16_t>(must(rabbitmq::parse_address(given.endpoint)).port)) {
    const auto address = must(rabbitmq::parse_address(given.endpoint));
    rabbitmq::Endpoint through = given.endpoint;
    through.url = "amqp://127.0.0.1:" + std::to_string(link.port());
    through.username = address.username;
    through.password = [word = address.password] { return word; };
    through.deadline = kDeadline;
    must(given.changelog()->declare(origin));
    link.throttle(kRate);
    changelog = must(rabbitmq::make_changelog(through));
  }
};

std::string large(char letter) { return std::string(kLarge, letter); }

}  // namespace

TEST_CASE("large messages pass a slow link: published without holding the caller, and confirmed") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  SlowScene scene(subject);
  const auto writer = must(scene.changelog->open_writer(scene.origin));
  std::uint64_t tag = 0;
  std::uint64_t through = 0;
  SteadyClock::duration longest{};
  while (through < 2) {
    const auto start = SteadyClock::now();
    if (tag < 2 && !writer->blocked()) must(writer->publish(++tag, large('a')));
    through = must(writer->confirmed(Millis{0}));
    longest = std::max(longest, SteadyClock::now() - start);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(longest < std::chrono::milliseconds(500));
  CHECK((must(subject.changelog()->last(scene.origin))->bytes == large('a')));
}

TEST_CASE("a publish behind one that is still on its way waits as long as bytes move") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  SlowScene scene(subject);
  const auto writer = must(scene.changelog->open_writer(scene.origin));
  for (std::uint64_t tag = 1; tag <= 2; ++tag) must(writer->publish(tag, large('b')));
  std::uint64_t through = 0;
  while (through < 2) through = must(writer->confirmed(Millis{200}));
}

TEST_CASE("the tail of a log is read over a slow link") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  SlowScene scene(subject);
  publish_all(*must(subject.changelog()->open_writer(scene.origin)), {large('c'), "the last"});
  CHECK(must(scene.changelog->last(scene.origin))->bytes == "the last");
}

TEST_CASE("a log is read over a slow link, from the middle, exactly") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  SlowScene scene(subject);
  const auto writer = must(subject.changelog()->open_writer(scene.origin));
  publish_all(*writer, {"first", large('d'), "third"});
  const auto whole = must(subject.changelog()->open_reader(scene.origin, std::nullopt));
  const Offset first = read_one(*whole).offset;
  const auto reader = must(scene.changelog->open_reader(scene.origin, first));
  CHECK((read_some(*reader, 2) == std::vector<std::string>{large('d'), "third"}));
}

}  // namespace tributary::conformance
