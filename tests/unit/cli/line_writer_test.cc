/// What `tributary write` says of a line that the database did not take.
#include "cli/line_writer.h"

#include <fstream>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "tests/temporary_folder.h"
#include "tests/unit/stderr_of.h"

namespace tributary::cli {
namespace {

/// Fails at the second transaction, where a test says.
class FailingSession final : public ProducerSession, private OutboxConnection {
 public:
  std::optional<Error> at_begin;
  std::optional<Error> at_insert;
  std::optional<Error> at_commit;
  bool gone_after_commit = false;  ///< with its connection, or rolled back by the database

  Result<void> begin() override {
    ++transactions_;
    open_ = true;
    return outcome(at_begin);
  }
  OutboxConnection& outbox() override { return *this; }
  Result<bool> rollback() override { return std::exchange(open_, false); }

 private:
  const Schema& schema() const override { return schema_; }
  Result<std::vector<std::pair<std::pair<std::string, std::string>, crdt::Totals>>> near_overflow(
      std::span<const std::pair<std::string, std::string>> /*keys*/) override {
    return {};
  }
  Result<void> insert(std::span<const Change> /*changes*/) override { return outcome(at_insert); }
  Result<void> commit() override {
    auto done = outcome(at_commit);
    if (done || gone_after_commit) open_ = false;
    return done;
  }
  [[nodiscard]] Result<void> outcome(const std::optional<Error>& error) const {
    if (!error || transactions_ < 2) return {};
    return fail(*error);
  }

  Schema schema_{{{"stock:*", "counter"}}, {}};
  int transactions_ = 0;
  bool open_ = false;
};

std::string stopped(FailingSession& session) {
  const TemporaryFolder folder;
  const std::string file = folder / "lines";
  std::ofstream(file) << R"({"key":"stock:1","type":"counter","add":1})"
                      << "\n"
                      << R"({"key":"stock:1","type":"counter","add":2})"
                      << "\n";
  const Limits limits;
  auto in = LineReader::open(file, longest_line(limits));
  REQUIRE(in);
  std::string message;
  static_cast<void>(stderr_of([&] {
    const auto done = LineWriter(session, limits, true).run(*in, [](std::uint64_t) {});
    REQUIRE(!done);
    message = done.error().message;
  }));
  return message;
}

constexpr const char* kNothing =
    "stopped at line 2, of which nothing is committed; 1 transactions before it are";
constexpr const char* kDoubt =
    "stopped at line 2, which may or may not be committed; 1 transactions before it are";

bool begins(const std::string& text, const std::string& start) { return text.starts_with(start); }

}  // namespace

TEST_CASE("of a line that failed before its commit nothing is committed, and that is said") {
  const Error lost{ErrorKind::kTransient, "the connection broke"};
  const Error full{ErrorKind::kConflict, "the transaction was rolled back: the disk is full"};
  for (const Error& error : {lost, full}) {
    FailingSession session;
    SUBCASE("at BEGIN") { session.at_begin = error; }
    SUBCASE("at the INSERT") { session.at_insert = error; }
    CHECK(begins(stopped(session), kNothing));
  }
}

TEST_CASE("a line whose commit failed is in doubt only when nobody can say what became of it") {
  FailingSession session;
  SUBCASE("rolled back, as the database says") {
    session.at_commit = Error{ErrorKind::kConflict, "the transaction was rolled back"};
    session.gone_after_commit = true;
    CHECK(begins(stopped(session), kNothing));
  }
  SUBCASE("still open, so that we roll back") {
    session.at_commit = Error{ErrorKind::kTransient, "the file is locked"};
    CHECK(begins(stopped(session), kNothing));
  }
  SUBCASE("the connection was lost") {
    session.at_commit = Error{ErrorKind::kTransient, "the connection broke"};
    session.gone_after_commit = true;
    CHECK(begins(stopped(session), kDoubt));
  }
}

}  // namespace tributary::cli
