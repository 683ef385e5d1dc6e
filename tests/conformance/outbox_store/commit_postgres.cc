/// What the producer library says when PostgreSQL refuses, or breaks, a COMMIT.
#include <memory>
#include <string>

#include <libpq-fe.h>

#include <tributary/crdt/types/register.h>
#include <tributary/outbox/postgres.h>

#include "tests/conformance/outbox_store/backend.h"

namespace tributary::outbox_suite {
namespace {

/// A service with tables of its own beside the outbox.
class Service {
 public:
  explicit Service(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
    REQUIRE(PQstatus(connection_) == CONNECTION_OK);
    outbox_ = must(postgres::open_outbox(connection_));
  }
  ~Service() { PQfinish(connection_); }
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  void run(const std::string& sql) const {
    PGresult* result = PQexec(connection_, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    CHECK_MESSAGE((status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK),
                  PQresultErrorMessage(result));
    PQclear(result);
  }
  Error failing_commit() const {
    Transaction tx(*outbox_);
    must(tx.write(register_::set("reg:a", "1")));
    const auto done = tx.commit();
    REQUIRE(!done);
    CHECK(tx.size() == 0);
    return done.error();
  }
  OutboxConnection& outbox() const { return *outbox_; }

 private:
  PGconn* connection_;
  std::unique_ptr<OutboxConnection> outbox_;
};

bool says(const Error& error, const std::string& words) {
  return error.message.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a commit that PostgreSQL cannot serialize is to be tried again, for certain") {
  OUTBOX_SUITE_BACKEND(Postgres);
  bool at_commit = false;  // or already at the statement before
  SUBCASE("at the statement before") {}
  SUBCASE("at COMMIT") { at_commit = true; }
  const Service one(postgres_url(*backend));
  const Service other(postgres_url(*backend));
  one.run("CREATE TABLE seats (taken int); INSERT INTO seats VALUES (0)");
  for (const Service* each : {&one, &other}) {
    each->run("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(taken) FROM seats");
  }
  Transaction tx(one.outbox());
  if (at_commit) {
    must(tx.write(register_::set("reg:a", "1")));
    must(tx.flush());
  }
  one.run("INSERT INTO seats VALUES (1)");
  other.run("INSERT INTO seats VALUES (1)");
  other.run("COMMIT");
  if (!at_commit) must(tx.write(register_::set("reg:a", "1")));
  const auto done = tx.commit();
  REQUIRE(!done);
  CHECK(done.error().kind == ErrorKind::kConflict);
  CHECK_MESSAGE(says(done.error(), "try it again"), done.error().message);
}

TEST_CASE("a constraint that fails at PostgreSQL's COMMIT is the caller's mistake, not fatal") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Service service(postgres_url(*backend));
  service.run(
      "CREATE TABLE tickets (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); "
      "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN RAISE EXCEPTION 'sold out'; END $$; CREATE TABLE shows (id int); "
      "CREATE CONSTRAINT TRIGGER no AFTER INSERT ON shows DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION no()");
  for (const char* wrong :
       {"INSERT INTO tickets VALUES (1), (1)", "INSERT INTO shows VALUES (1)"}) {
    service.run("BEGIN");
    service.run(wrong);
    const Error error = service.failing_commit();
    CHECK(error.kind == ErrorKind::kInvalid);
    CHECK_MESSAGE(says(error, "not committed"), error.message);
  }
  service.run("BEGIN");
  Transaction tx(service.outbox());
  must(tx.write(register_::set("reg:a", "1")));
  must(tx.commit());
}

TEST_CASE("a connection that ends during PostgreSQL's COMMIT leaves doubt, and says so") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Service service(postgres_url(*backend));
  service.run(
      "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
      "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); "
      "RETURN NULL; END $$; CREATE TABLE ends (id int); "
      "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON ends DEFERRABLE INITIALLY DEFERRED "
      "FOR EACH ROW EXECUTE FUNCTION die()");
  service.run("BEGIN; INSERT INTO ends VALUES (1)");
  const Error error = service.failing_commit();
  CHECK(error.kind == ErrorKind::kTransient);
  CHECK_MESSAGE(says(error, "may or may not"), error.message);
}

TEST_CASE("a key that PostgreSQL cannot hold is refused at write, and the buffer goes on") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Service service(postgres_url(*backend));
  service.run("BEGIN");
  Transaction tx(service.outbox());
  for (const char* key : {"reg:\xff", "reg:\xc3", "reg:\xed\xa0\x80", "reg:\xc0\x80"}) {
    const auto refused = tx.write(register_::set(key, "1"));
    REQUIRE(!refused);
    CHECK(refused.error().kind == ErrorKind::kInvalid);
  }
  must(tx.write(register_::set("reg:\xc3\xa9", "1")));
  must(tx.commit());
}

}  // namespace tributary::outbox_suite
