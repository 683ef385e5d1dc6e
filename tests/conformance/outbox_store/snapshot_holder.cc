/// Who keeps deleted rows from being cleaned up.
#include <arpa/inet.h>

#include "connectors/outbox/postgres/idle.h"
#include "connectors/outbox/postgres/statements.h"
#include "tests/conformance/outbox_store/backend.h"
#include "tests/conformance/outbox_store/psql.h"

namespace tributary::outbox_suite {
namespace {

/// A streaming standby as far as its primary sees it: it has no slot and gives feedback.
class Standby {
 public:
  explicit Standby(const std::string& url)
      : connection_(PQconnectdb((url + "?replication=true&application_name=standby").c_str()),
                    PQfinish) {
    const Answer system(PQexec(connection_.get(), "IDENTIFY_SYSTEM"), PQclear);
    REQUIRE_MESSAGE(PQntuples(system.get()) == 1, PQerrorMessage(connection_.get()));
    const std::string start =
        std::string("START_REPLICATION PHYSICAL ") + PQgetvalue(system.get(), 0, 2);
    const Answer copying(PQexec(connection_.get(), start.c_str()), PQclear);
    REQUIRE(PQresultStatus(copying.get()) == PGRES_COPY_BOTH);
  }
  /// Hot standby feedback, as in the manual's streaming replication protocol.
  void needs(std::uint32_t xmin) {
    std::string message("h");
    message.append(8, '\0');
    for (const std::uint32_t number : {xmin, 0U, 0U, 0U}) {
      const std::uint32_t sent = htonl(number);
      message.append(reinterpret_cast<const char*>(&sent), sizeof(sent));
    }
    REQUIRE(PQputCopyData(connection_.get(), message.data(), static_cast<int>(message.size())) ==
            1);
    REQUIRE(PQflush(connection_.get()) == 0);
  }

 private:
  using Answer = std::unique_ptr<PGresult, void (*)(PGresult*)>;
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

}  // namespace

TEST_CASE("a standby without a slot that keeps rows from being cleaned up is named") {
  OUTBOX_SUITE_BACKEND(Postgres);
  const Psql psql(postgres_url(*backend));
  Standby standby(postgres_url(*backend));
  standby.needs(
      static_cast<std::uint32_t>(std::stoul(psql.run("SELECT txid_current() % 4294967296"))));
  std::string holder;
  const std::string ask =
      std::string("SELECT who FROM (") + postgres::statements::kSnapshotHolder.sql + ") h";
  const Micros until = SystemClock().monotonic() + Micros{10'000'000};
  while (!says(holder, "standby") && SystemClock().monotonic() < until) holder = psql.run(ask);
  CHECK_MESSAGE(says(holder, "(standby), by the hot_standby_feedback"), holder);
}

TEST_CASE("a holder is told once, when it is still there a second later") {
  postgres::HolderNews news;
  const Micros minute = std::chrono::minutes(1);
  const Micros second = std::chrono::seconds(1);
  Micros now{1};
  REQUIRE(news.due(now));
  CHECK(!news.found({"the analyst", "740"}, now));
  CHECK(!news.due(now + second - Micros{1}));
  now += second;
  REQUIRE(news.due(now));
  SUBCASE("it is") {
    CHECK(news.found({"the analyst", "740"}, now));
    CHECK(!news.due(now + minute - Micros{1}));
    now += minute;
    REQUIRE(news.due(now));
    CHECK(!news.found({"the analyst", "740"}, now));
  }
  SUBCASE("it has another snapshot") { CHECK(!news.found({"the analyst", "980"}, now)); }
  SUBCASE("nobody holds one: the machine is slow") {
    CHECK(!news.found({}, now));
    CHECK(!news.due(now + minute - Micros{1}));
  }
}

}  // namespace tributary::outbox_suite
