/// What every changelog must do on a good day.
#include <numeric>
#include <thread>

#include "tests/conformance/changelog/subject.h"

namespace tributary::conformance {

TEST_CASE_TEMPLATE("messages arrive in order, each once", Subject, MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  const auto writer = must(changelog->open_writer(origin));
  const auto reader = must(changelog->open_reader(origin, std::nullopt));
  publish_all(*writer, numbered(500));
  CHECK(read_some(*reader, 500) == numbered(500));
  CHECK(silent(*reader));
  publish_all(*writer, numbered(3, 501), 501);
  CHECK(read_some(*reader, 3) == numbered(3, 501));
}

TEST_CASE_TEMPLATE("offsets grow", Subject, MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  publish_all(*must(changelog->open_writer(origin)), numbered(50));
  const auto reader = must(changelog->open_reader(origin, std::nullopt));
  Offset previous = read_one(*reader).offset;
  for (int i = 1; i < 50; ++i) {
    const Offset offset = read_one(*reader).offset;
    CHECK(offset > previous);
    previous = offset;
  }
}

TEST_CASE_TEMPLATE("a window of 1000 is confirmed in order, and everything in it is in the log",
                   Subject, MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  const auto writer = must(changelog->open_writer(origin));
  std::uint64_t tag = 0;
  for (const std::string& message : numbered(1000)) must(writer->publish(tag += 10, message));
  std::uint64_t through = 0;
  while (through < tag) {
    const std::uint64_t now = must(writer->confirmed(Millis{2000}));
    REQUIRE(now > through);
    REQUIRE(now <= tag);
    REQUIRE(now % 10 == 0);
    through = now;
  }
  CHECK(read_some(*must(changelog->open_reader(origin, std::nullopt)), 1000) == numbered(1000));
}

TEST_CASE_TEMPLATE("large, empty and binary messages come back as they were", Subject,
                   MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  std::string every_byte(256, '\0');
  std::iota(every_byte.begin(), every_byte.end(), '\0');
  std::string large;
  for (int i = 0; i < 20 * 1024; ++i) large += every_byte;  // 5 MiB
  // 131064 is what one frame holds: its neighbours, too.
  std::vector<std::string> sent = {"", every_byte, large, "", std::string("\0\xce\0", 3)};
  for (const std::size_t size : {131063, 131064, 131065}) sent.push_back(large.substr(7, size));
  const auto writer = must(changelog->open_writer(origin));
  publish_all(*writer, sent);
  const auto got = read_some(*must(changelog->open_reader(origin, std::nullopt)), sent.size());
  CHECK((got == sent));  // without printing 5 MiB
}

TEST_CASE_TEMPLATE("the last message is told of an empty log, of one and of many", Subject,
                   MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  CHECK_FALSE(must(changelog->last(origin)).has_value());
  const auto writer = must(changelog->open_writer(origin));
  publish_all(*writer, {"one"});
  CHECK(must(changelog->last(origin))->bytes == "one");
  // Published at once, so that a chunk of the log holds many: more than a reader's prefetch.
  publish_all(*writer, numbered(1000), 2);
  const auto last = must(changelog->last(origin));
  REQUIRE(last.has_value());
  CHECK(last->bytes == "m1000");
  const auto reader = must(changelog->open_reader(origin, std::nullopt));
  Offset offset{};
  for (int i = 0; i < 1001; ++i) offset = read_one(*reader).offset;
  CHECK(last->offset == offset);
}

TEST_CASE_TEMPLATE("a reader and a writer work from two threads", Subject, MemorySubject,
                   RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  std::vector<std::string> got;
  std::thread reading([&] {
    const auto reader = must(changelog->open_reader(origin, std::nullopt));
    got = read_some(*reader, 2000);
  });
  const auto writer = must(changelog->open_writer(origin));
  for (std::uint64_t first = 1; first < 2000; first += 100) {
    publish_all(*writer, numbered(100, first), first);
  }
  reading.join();
  CHECK(got == numbered(2000));
}

TEST_CASE_TEMPLATE("two origins do not mix, and each has any number of readers", Subject,
                   MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName first = fresh_origin();
  const OriginName second = fresh_origin();
  must(changelog->declare(first));
  must(changelog->declare(second));
  publish_all(*must(changelog->open_writer(first)), numbered(10));
  publish_all(*must(changelog->open_writer(second)), numbered(10, 100));
  for (int i = 0; i < 2; ++i) {
    CHECK(read_some(*must(changelog->open_reader(first, std::nullopt)), 10) == numbered(10));
    CHECK(read_some(*must(changelog->open_reader(second, std::nullopt)), 10) == numbered(10, 100));
  }
}

TEST_CASE_TEMPLATE("declaring twice keeps the log", Subject, MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  publish_all(*must(changelog->open_writer(origin)), numbered(2));
  must(changelog->declare(origin));
  CHECK(read_some(*must(changelog->open_reader(origin, std::nullopt)), 2) == numbered(2));
}

}  // namespace tributary::conformance
