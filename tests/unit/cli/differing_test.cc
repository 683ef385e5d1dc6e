/// What tells that the same seqs stand for different changes.
#include <doctest/doctest.h>

#include "tests/unit/cli/system.h"

namespace tributary::cli {

TEST_CASE("regions that hold other changes with the same seqs are not converged") {
  SystemFacts facts = whole_system();
  const auto history = [&](std::size_t region) -> HistoryDigest& {
    return progress_of(facts, region).origins.at(OriginName{"shop"}).history;
  };
  HistoryDigest& sealed = facts.origins[0].outbox->history;
  history(0) = history(1) = sealed = {77};
  REQUIRE(judge(facts).converged());
  SUBCASE("than another region") {
    history(1) = {78};
    sealed = {};
    check_only_reason(judge(facts), {"shop: region us holds other changes of actor "
                                     "00000000000000a1 up to seq 100 than region eu"});
  }
  SUBCASE("than the origin's database") {
    history(0) = history(1) = {78};
    const StatusReport report = judge(facts);
    REQUIRE(report.reasons.size() == 2);
    CHECK(report.reasons[0].find("region eu holds other changes") != std::string::npos);
    CHECK(report.reasons[0].find("than its database") != std::string::npos);
  }
  SUBCASE("than the origin's database, of an actor that has ended") {
    ReplicaProgress& progress = progress_of(facts, 1);
    progress.origins.at(OriginName{"shop"}).actor = kShopFormer;
    lower(progress, kShop, Seq{});
    lower(progress_of(facts, 0), kShop, Seq{});
    facts.origins[0].outbox->head_seq = {};
    facts.origins[0].outbox->former_history = {78};
    for (std::size_t region : {0, 1}) {
      progress_of(facts, region).origins.at(OriginName{"shop"}).head_seq = {};
    }
    check_only_reason(judge(facts), {"shop: region us holds other changes of actor "
                                     "00000000000000a0 up to seq 40 than its database"});
  }
  SUBCASE("unless nobody can tell") {
    history(1) = {};
    CHECK(judge(facts).converged());
  }
  SUBCASE("unless one of them is further") {
    lower(progress_of(facts, 1), kShop, Seq{60});
    history(1) = {78};
    check_only_reason(judge(facts), {"region us lacks changes 61 to 100 of origin shop;"});
  }
}

}  // namespace tributary::cli
