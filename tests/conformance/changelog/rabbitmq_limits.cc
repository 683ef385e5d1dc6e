/// Brokers that are away, refuse us, or send more than we take.
#include <fstream>

#include <unistd.h>

#include "tests/conformance/changelog/link.h"
#include "tests/conformance/changelog/subject.h"

namespace tributary::conformance {

namespace {

using SteadyClock = std::chrono::steady_clock;

rabbitmq::Endpoint endpoint_at(std::uint16_t port) {
  rabbitmq::Endpoint endpoint;
  endpoint.url = "amqp://someone:s3cret@127.0.0.1:" + std::to_string(port);
  endpoint.deadline = Millis{500};
  return endpoint;
}

/// Tries everything, each time within the deadline and without telling the password.
void check_every_call(Changelog& changelog, ErrorKind kind) {
  const OriginName origin{"nowhere"};
  const auto check = [&](const auto& call) {
    const auto start = SteadyClock::now();
    const auto result = call();
    CHECK(SteadyClock::now() - start < std::chrono::seconds(3));
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().kind == kind);
    CHECK(result.error().message.find("127.0.0.1") != std::string::npos);
    CHECK(result.error().message.find("s3cret") == std::string::npos);
  };
  check([&] { return changelog.declare(origin); });
  check([&] { return changelog.open_writer(origin); });
  check([&] { return changelog.open_reader(origin, std::nullopt); });
  check([&] { return changelog.last(origin); });
}

std::size_t resident_bytes() {
  std::size_t total = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace

TEST_CASE("a broker that is not there is a transient error within the deadline") {
  SilentPort port;
  port.close();
  check_every_call(*must(rabbitmq::make_changelog(endpoint_at(port.port()))),
                   ErrorKind::kTransient);
}

TEST_CASE("a broker that accepts and says nothing is a transient error within the deadline") {
  const SilentPort port;
  check_every_call(*must(rabbitmq::make_changelog(endpoint_at(port.port()))),
                   ErrorKind::kTransient);
}

TEST_CASE("a wrong password is fatal, and the message does not contain it") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  rabbitmq::Endpoint wrong = subject.endpoint;
  wrong.password = [] { return "s3cret"; };
  check_every_call(*must(rabbitmq::make_changelog(wrong)), ErrorKind::kFatal);
}

TEST_CASE("a virtual host that is missing is fatal, and the message names it and the user") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  rabbitmq::Endpoint wrong = subject.endpoint;
  wrong.url += "/nowhere";
  const auto declared = must(rabbitmq::make_changelog(wrong))->declare(OriginName{"shop"});
  REQUIRE_FALSE(declared.has_value());
  CHECK(declared.error().kind == ErrorKind::kFatal);
  CHECK(declared.error().message.find("virtual host \"nowhere\"") != std::string::npos);
  CHECK(declared.error().message.find("\"guest\"") != std::string::npos);
}

TEST_CASE("a malformed URL is invalid, and the message does not repeat it") {
  for (const char* url : {"", "http://someone:s3cret@host", "amqp://someone:s3cret@:port/"}) {
    rabbitmq::Endpoint endpoint;
    endpoint.url = url;
    const auto made = rabbitmq::make_changelog(endpoint);
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().kind == ErrorKind::kInvalid);
    CHECK(made.error().message.find("s3cret") == std::string::npos);
  }
}

TEST_CASE("a stream that was made with other limits is used as it is, and declaring it says so") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  const OriginName origin = fresh_origin();
  rabbitmq::Endpoint limited = subject.endpoint;
  limited.max_age = std::chrono::hours(24);
  limited.max_bytes = std::uint64_t{5} << 30;
  limited.segment_bytes = 50'000'000;
  CHECK(must(must(rabbitmq::make_changelog(limited))->declare(origin)) == Declared::kMade);
  CHECK(must(must(rabbitmq::make_changelog(limited))->declare(origin)) == Declared::kThere);
  const auto changelog = subject.changelog();
  CHECK(must(changelog->declare(origin)) == Declared::kThereWithOtherLimits);
  publish_all(*must(changelog->open_writer(origin)), {"kept"});
  must(changelog->declare(origin));
  CHECK(must(changelog->last(origin))->bytes == "kept");
}

TEST_CASE("a slow reader's memory does not grow with the log") {
  TRIBUTARY_SUBJECT(RabbitmqSubject, subject);
  subject.endpoint.prefetch = 200;
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  const auto writer = must(changelog->open_writer(origin));
  const std::string message(64 << 10, 'x');
  for (std::uint64_t tag = 1; tag <= 3000; ++tag) {
    must(writer->publish(tag, message));
    if (tag % 500 == 0) {
      while (must(writer->confirmed(Millis{5000})) < tag) continue;
    }
  }
  const std::size_t before = resident_bytes();
  const auto reader = must(changelog->open_reader(origin, std::nullopt));
  for (int i = 0; i < 3000; ++i) {
    REQUIRE(read_one(*reader).bytes.size() == message.size());
    if (i % 300 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  must(changelog->last(origin));
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  MESSAGE("not judged: a sanitizer keeps freed memory; before: " << before);
#else
  CHECK(resident_bytes() < before + (std::size_t{16} << 20));
#endif
}

}  // namespace tributary::conformance
