/// Where a reader starts.
#include "tests/conformance/changelog/subject.h"

namespace tributary::conformance {

TEST_CASE_TEMPLATE("a reader resumes behind an offset, without loss and without repeats", Subject,
                   MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  const auto writer = must(changelog->open_writer(origin));
  publish_all(*writer, numbered(300));
  std::vector<Offset> offsets;
  const auto whole = must(changelog->open_reader(origin, std::nullopt));
  for (int i = 0; i < 300; ++i) offsets.push_back(read_one(*whole).offset);
  for (const std::size_t behind : {0, 1, 137, 298}) {
    const auto reader = must(changelog->open_reader(origin, offsets[behind]));
    const std::size_t rest = 299 - behind;
    CHECK(read_some(*reader, rest) == numbered(rest, behind + 2));
    CHECK(silent(*reader));
  }
}

TEST_CASE_TEMPLATE("a reader behind the last message gets only what comes after", Subject,
                   MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  const auto writer = must(changelog->open_writer(origin));
  publish_all(*writer, numbered(20));
  const auto reader = must(changelog->open_reader(origin, must(changelog->last(origin))->offset));
  CHECK(silent(*reader));
  publish_all(*writer, numbered(5, 21), 21);
  CHECK(read_some(*reader, 5) == numbered(5, 21));
}

TEST_CASE_TEMPLATE("an offset beyond the end starts at the first message and stays attached",
                   Subject, MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  const auto writer = must(changelog->open_writer(origin));
  publish_all(*writer, numbered(10));
  for (const std::uint64_t beyond : {std::uint64_t{10}, std::uint64_t{5000}, ~std::uint64_t{0}}) {
    const Offset offset{beyond};
    const auto reader = must(changelog->open_reader(origin, offset));
    CHECK(read_some(*reader, 10) == numbered(10));
  }
  const auto reader = must(changelog->open_reader(origin, Offset{5000}));
  publish_all(*writer, numbered(2, 11), 11);
  CHECK(read_some(*reader, 12) == numbered(12));
}

TEST_CASE_TEMPLATE("a stored offset on an empty log waits for the first message", Subject,
                   MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  const auto reader = must(changelog->open_reader(origin, Offset{3}));
  publish_all(*must(changelog->open_writer(origin)), numbered(3));
  CHECK(read_some(*reader, 3) == numbered(3));
}

TEST_CASE_TEMPLATE("a log deleted and made again is read from its beginning", Subject,
                   MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  must(changelog->declare(origin));
  publish_all(*must(changelog->open_writer(origin)), numbered(100));
  const auto old_reader = must(changelog->open_reader(origin, std::nullopt));
  read_some(*old_reader, 100);
  const Offset stored = must(changelog->last(origin))->offset;

  subject.delete_log(origin);
  must(changelog->declare(origin));
  Result<std::optional<ChangelogMessage>> next = std::nullopt;
  for (int i = 0; i < 100 && next; ++i) next = old_reader->next(Millis{100});
  REQUIRE_FALSE(next.has_value());
  CHECK(next.error().kind == ErrorKind::kTransient);

  publish_all(*must(changelog->open_writer(origin)), numbered(4, 1000));
  const auto reader = must(changelog->open_reader(origin, stored));
  CHECK(read_some(*reader, 4) == numbered(4, 1000));
  CHECK(must(changelog->last(origin))->bytes == "m1003");
}

}  // namespace tributary::conformance
