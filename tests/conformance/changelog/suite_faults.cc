/// What every changelog says when something is wrong.
#include "tests/conformance/changelog/subject.h"

namespace tributary::conformance {

TEST_CASE_TEMPLATE("publishing to a log that is not there is an error, never a confirm", Subject,
                   MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const auto writer = must(changelog->open_writer(fresh_origin()));
  must(writer->publish(1, "lost"));
  const Error error = confirm_error(*writer);
  CHECK(error.kind == ErrorKind::kTransient);
  CHECK(error.message.find("not sent") != std::string::npos);
}

TEST_CASE_TEMPLATE("reading a log that is not there is a transient error", Subject, MemorySubject,
                   RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  const auto reader = changelog->open_reader(origin, std::nullopt);
  REQUIRE_FALSE(reader.has_value());
  CHECK(reader.error().kind == ErrorKind::kTransient);
  CHECK_FALSE(changelog->open_reader(origin, Offset{7}).has_value());
  CHECK_FALSE(changelog->last(origin).has_value());
}

TEST_CASE_TEMPLATE("something else in the log's place is invalid, and the message says what to do",
                   Subject, MemorySubject, RabbitmqSubject) {
  TRIBUTARY_SUBJECT(Subject, subject);
  const auto changelog = subject.changelog();
  const OriginName origin = fresh_origin();
  subject.misshape(origin);
  const auto declared = changelog->declare(origin);
  REQUIRE_FALSE(declared.has_value());
  CHECK(declared.error().kind == ErrorKind::kInvalid);
  CHECK(declared.error().message.find(origin.value) != std::string::npos);
  CHECK(declared.error().message.find("free") != std::string::npos);
  // Whatever it is, it is somebody's: no advice may cost them their data.
  CHECK(declared.error().message.find("delete") == std::string::npos);
}

}  // namespace tributary::conformance
