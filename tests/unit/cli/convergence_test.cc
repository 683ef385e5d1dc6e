/// When a system is converged, and when it is not.
#include <doctest/doctest.h>

#include "tests/unit/cli/system.h"

namespace tributary::cli {
namespace {

const Lag& lag_in(const StatusReport& report, std::size_t region, const std::string& origin) {
  const auto& lags = report.lags.at(region);
  const auto place = std::ranges::find(lags, origin, &Lag::origin);
  REQUIRE(place != lags.end());
  return *place;
}

TEST_CASE("regions that hold all changes of all actors are converged") {
  const StatusReport report = judge(whole_system());
  CHECK(report.converged());
  CHECK(report.all_reached);
  CHECK(report.reasons.empty());
  CHECK(report.warnings.empty());
  CHECK(lag_in(report, 1, "shop").lag_changes == 0);
  CHECK(lag_in(report, 1, "shop").lag_seconds == 0.0);
}

TEST_CASE("a region behind an origin's head is not converged, and lags since it last heard") {
  SystemFacts facts = whole_system();
  lower(progress_of(facts, 1), kShop, Seq{60});
  const StatusReport report = judge(facts);
  check_only_reason(report, {"region us lacks changes 61 to 100 of origin shop;", "consumer"});
  const Lag& lag = lag_in(report, 1, "shop");
  CHECK(lag.applied_seq == 60);
  CHECK(lag.lag_changes == 40);
  CHECK(lag.lag_seconds == 2.0);
  CHECK(lag.missing == std::map<ActorId, std::uint64_t>{{kShop, 40}});
  CHECK(report.all_reached);
}

TEST_CASE("a region that lacks changes of a former actor is not converged") {
  SystemFacts facts = whole_system();
  lower(progress_of(facts, 1), kShopFormer, Seq{0});
  SUBCASE("as the origin says") {
    lower(progress_of(facts, 0), kShopFormer, Seq{0});
    for (RegionFacts& region : facts.regions) region.replica->progress.actors.erase(kShopFormer);
    const StatusReport report = judge(facts);
    CHECK_FALSE(report.converged());
    CHECK(report.reasons.size() == 2);
    CHECK(lag_in(report, 0, "shop").missing.at(kShopFormer) == 40);
  }
  SUBCASE("as another region says, when the origin was restored and has forgotten it") {
    facts.origins[0].outbox->former.clear();
    check_only_reason(judge(facts), {"us lacks changes 1 to 40 of actor 00000000000000a0"});
  }
  SUBCASE("as the actor's own record in that region says") {
    facts.origins[0].outbox->former.clear();
    lower(progress_of(facts, 0), kShopFormer, Seq{40});
    facts.regions.erase(facts.regions.begin());
    check_only_reason(judge(facts), {"us lacks changes 1 to 40"});
  }
}

TEST_CASE("no region's Redis is to be copied over one that holds what that region lacks") {
  SystemFacts facts = whole_system();
  for (OriginFacts& origin : facts.origins) {
    origin.retired = true;
    origin.outbox.reset();
  }
  lower(progress_of(facts, 0), kTill, Seq{0});
  lower(progress_of(facts, 1), kShop, Seq{0});
  const auto check_neither = [](const StatusReport& report) {
    REQUIRE(report.reasons.size() == 2);
    for (const std::string& reason : report.reasons) {
      CHECK(reason.find("do not copy one over the other") != std::string::npos);
      CHECK(reason.find("copy the Redis") == std::string::npos);
    }
  };
  check_neither(judge(facts));
  SUBCASE("of a third one that holds all it may") {
    facts.regions.push_back(facts.regions[0]);
    facts.regions[2].name = "asia";
    progress_of(facts, 2) = whole_progress();
    const StatusReport report = judge(facts);
    REQUIRE(report.reasons.size() == 2);
    CHECK(report.reasons[0].find("copy the Redis of region asia") != std::string::npos);
    CHECK(report.reasons[1].find("copy the Redis of region asia") != std::string::npos);
  }
  SUBCASE("nor of origins that the topology does not name any more") {
    facts.origins.clear();
    check_neither(judge(facts));
  }
}

TEST_CASE("what stands in a stream and in no region is not converged") {
  SystemFacts facts = whole_system();
  facts.origins[0].stream_end = StreamEnd{kShop, Seq{100}, {{kShopFormer, Seq{40}}}};
  CHECK(judge(facts).converged());
  CHECK(outrun_origins(facts).empty());
  SUBCASE("of a database that was put back") {
    facts.origins[0].stream_end->head = Seq{150};
    CHECK(outrun_origins(facts) == std::vector<std::string>{"shop"});
    const StatusReport report = judge(facts);
    REQUIRE(report.reasons.size() == 3);
    CHECK(report.reasons[0].find("sealed 100 changes, but its stream holds 150") !=
          std::string::npos);
    CHECK(report.reasons[1].find("eu lacks changes 101 to 150") != std::string::npos);
  }
  SUBCASE("of an actor that a database put back has never heard of") {
    facts.origins[0].stream_end = StreamEnd{ActorId{0xa2}, Seq{5}, {{kShop, Seq{100}}}};
    CHECK(judge(facts).reasons.size() == 2);
  }
  SUBCASE("of a retired origin") {
    facts.origins[1].retired = true;
    facts.origins[1].outbox.reset();
    facts.origins[1].stream_end = StreamEnd{kTill, Seq{20}, {}};
    CHECK(judge(facts).reasons.size() == 2);
  }
}

TEST_CASE("what regions do not obey at a stream's end is not missed") {
  SystemFacts facts = whole_system();
  SUBCASE("another origin's actor") {
    facts.origins[1].stream_end = StreamEnd{kShop, Seq{500}, {}};
  }
  SUBCASE("a new actor that names nobody") {
    facts.origins[1].stream_end = StreamEnd{ActorId{0xff}, Seq{500}, {}};
  }
  SUBCASE("a former actor, behind its end") {
    facts.origins[0].stream_end = StreamEnd{kShopFormer, Seq{60}, {}};
  }
  CHECK(judge(facts).converged());
}

TEST_CASE("what one region holds above a former actor's end, all must hold") {
  SystemFacts facts = whole_system();
  progress_of(facts, 0).watermark.raise(kShopFormer, Seq{50});
  check_only_reason(judge(facts), {"us lacks changes 41 to 50", "ended at seq 40", "void",
                                   "copy the Redis of region eu"});
  progress_of(facts, 1).watermark.raise(kShopFormer, Seq{50});
  CHECK(judge(facts).converged());
}

TEST_CASE(
    "what one region holds above the origin's head, all must hold, and the database went back") {
  SystemFacts facts = whole_system();
  progress_of(facts, 0).watermark.raise(kShop, Seq{120});
  CHECK(outrun_origins(facts) == std::vector<std::string>{"shop"});
  const StatusReport report = judge(facts);
  REQUIRE(report.reasons.size() == 2);
  CHECK(report.reasons[0].find("sealed 100 changes, but region eu holds 120") != std::string::npos);
  CHECK(report.reasons[1].find("us lacks changes 101 to 120") != std::string::npos);
  CHECK(lag_in(report, 0, "shop").lag_changes == 0);  // never below zero
}

TEST_CASE("an origin that goes on with an actor that has ended is not converged") {
  SystemFacts facts = whole_system();
  progress_of(facts, 1).actors[kShop].final_seq = Seq{100};
  check_only_reason(judge(facts), {"origin shop", "which ended at seq 100 for region us", "relay"});
}

TEST_CASE("what a former actor told of after its end is void, and missed only if a region has it") {
  SystemFacts facts = whole_system();
  facts.origins[0].outbox->former.clear();
  progress_of(facts, 1).origins[OriginName{"shop"}] = {kShopFormer, Offset{7}, Seq{55}, Hlc{}};
  CHECK(judge(facts).converged());
}

TEST_CASE("a head that a region was told of counts when the database is not there any more") {
  SystemFacts facts = whole_system();
  facts.origins[1].retired = true;
  facts.origins[1].outbox.reset();
  progress_of(facts, 0).origins[OriginName{"till"}].head_seq = Seq{20};
  const StatusReport report = judge(facts);
  REQUIRE(report.reasons.size() == 2);
  CHECK(report.reasons[0].find("eu lacks changes 16 to 20 of the retired origin till") !=
        std::string::npos);
  CHECK(report.reasons[0].find("no region holds them") != std::string::npos);
  CHECK(report.reasons[0].find("without `retired: true`") != std::string::npos);
}

TEST_CASE("changes that wait, sealed or not, are not converged") {
  SystemFacts facts = whole_system();
  SUBCASE("in the outbox") {
    facts.origins[0].outbox->depth = 3;
    facts.origins[0].outbox->oldest = kNow - Micros{5'000'000};
    const StatusReport report = judge(facts);
    check_only_reason(report, {"origin shop: 3 changes wait in the outbox", "since 5 s",
                               "`tributary relay --origin shop`"});
    CHECK(lag_in(report, 0, "shop").lag_seconds == 5.0);
  }
  SUBCASE("for the broker") {
    facts.origins[1].outbox->unconfirmed = 1;
    check_only_reason(judge(facts), {"origin till: 1 change is sealed and not yet confirmed"});
  }
}

TEST_CASE("what waits for long is not said to go in a moment, nor only for lack of a relay") {
  SystemFacts facts = whole_system();
  facts.origins[0].outbox->depth = 1;
  facts.origins[0].outbox->oldest = kNow - Micros{2'000'000};
  check_only_reason(judge(facts), {"a relay takes them in a moment"});
  facts.origins[0].outbox->oldest = kNow - Micros{60'000'000};
  check_only_reason(judge(facts), {"no relay takes them", "if none runs",
                                   "if one does, its log says what holds them up"});
}

TEST_CASE("rows in doubt are for a person to decide: a plain retry leaves them alone") {
  SystemFacts facts = whole_system();
  facts.origins[0].outbox->parked = 2;
  facts.origins[0].parked_example = "key \"k\": in doubt after a restore: the changelog …";
  check_only_reason(judge(facts), {"`tributary parked list --origin shop`, and decide"});
  CHECK(judge(facts).reasons[0].find("parked retry") == std::string::npos);
}

TEST_CASE("a server that refuses is not to be started") {
  SystemFacts facts = whole_system();
  SUBCASE("a database") {
    facts.origins[0].outbox.reset();
    facts.origins[0].refused = true;
    facts.origins[0].problem = "permission denied";
    check_only_reason(judge(facts), {"its database does not let us look (permission denied)",
                                     "give this login, or the outbox, what it lacks"});
  }
  SUBCASE("a replica") {
    facts.regions[1].replica.reset();
    facts.regions[1].refused = true;
    facts.regions[1].problem = "NOPERM";
    check_only_reason(judge(facts), {"its replica does not let us look (NOPERM)"});
  }
  CHECK(judge(facts).reasons[0].find("start it") == std::string::npos);
}

TEST_CASE("what is set aside on either side is not converged, and the first of it is told") {
  SystemFacts facts = whole_system();
  SUBCASE("at an origin") {
    facts.origins[0].outbox->parked = 2;
    facts.origins[0].parked_example = "key \"k\": why";
    check_only_reason(judge(facts), {"origin shop: 2 changes are set aside, the first: key \"k\"",
                                     "`tributary parked list --origin shop`"});
  }
  SUBCASE("in a region") {
    facts.regions[1].replica->parked = 1;
    check_only_reason(judge(facts),
                      {"region us: 1 change is set aside;", "`tributary parked list --region us`"});
  }
}

TEST_CASE("what is known to be damaged in a replica, or half done, is not converged") {
  SystemFacts facts = whole_system();
  progress_of(facts, 1).damage = {"tributary:actors holds what Tributary did not write"};
  check_only_reason(judge(facts), {"region us: tributary:actors holds what"});
  progress_of(facts, 1).damage.clear();
  progress_of(facts, 1).unfinished = {"stock:1", "stock:2"};
  check_only_reason(judge(facts), {"region us: a commit stopped half-way", "2 keys"});
}

TEST_CASE("what one region gave up by hand and another one did not is not converged") {
  SystemFacts facts = whole_system();
  const std::vector<std::string> ids{"shop/00000000000000a1/00000000000000000005/k"};
  facts.regions[1].replica->discarded = ids;
  check_only_reason(judge(facts), {"region us: 1 change was discarded by hand", "region eu",
                                   ids[0].c_str(), "copy the Redis of region eu"});
  facts.regions[0].replica->discarded = ids;
  CHECK(judge(facts).converged());
}

TEST_CASE("a server that was not reached leaves it open whether anything is missing") {
  SystemFacts facts = whole_system();
  SUBCASE("a database") {
    facts.origins[0].outbox.reset();
    facts.origins[0].problem = "connection refused\x1b[2J";
    const StatusReport report = judge(facts);
    check_only_reason(report,
                      {"origin shop: its database was not reached (connection refused\\x1b"});
    CHECK_FALSE(report.all_reached);
    CHECK_FALSE(lag_in(report, 0, "shop").lag_changes.has_value());
    CHECK(lag_in(report, 0, "shop").applied_seq == 100);
  }
  SUBCASE("a replica") {
    facts.regions[1].replica.reset();
    facts.regions[1].problem = "no route";
    const StatusReport report = judge(facts);
    check_only_reason(report, {"region us: its replica was not reached (no route)"});
    CHECK_FALSE(report.all_reached);
    CHECK(report.lags[1].empty());
  }
  SUBCASE("a stream") {
    facts.origins[1].stream_problem = "refused";
    const StatusReport report = judge(facts);
    check_only_reason(report, {"origin till: its stream on the broker of region eu", "refused"});
    CHECK_FALSE(report.all_reached);
  }
}

TEST_CASE("a retired origin is not asked, and all regions must hold what any of them holds") {
  SystemFacts facts = whole_system();
  facts.origins[1].retired = true;
  facts.origins[1].outbox.reset();
  CHECK(judge(facts).converged());
  CHECK(judge(facts).all_reached);
  SUBCASE("a replica that was rebuilt when its stream was gone lacks its changes") {
    ReplicaProgress& us = progress_of(facts, 1);
    lower(us, kTill, Seq{0});
    us.actors.erase(kTill);
    us.origins.erase(OriginName{"till"});
    const StatusReport report = judge(facts);
    check_only_reason(report, {"us lacks changes 1 to 15 of the retired origin till",
                               "copy the Redis of region eu"});
    CHECK(lag_in(report, 1, "till").lag_changes == 15);
    CHECK_FALSE(lag_in(report, 1, "till").lag_seconds.has_value());
  }
  SUBCASE("when no region knows it, its changes are lost or it never had any") {
    for (RegionFacts& region : facts.regions) {
      lower(region.replica->progress, kTill, Seq{0});
      region.replica->progress.actors.erase(kTill);
      region.replica->progress.origins.erase(OriginName{"till"});
    }
    check_only_reason(judge(facts), {"the retired origin till is known to no region"});
  }
}

TEST_CASE("an origin that the topology does not name is a warning, and must be equal everywhere") {
  SystemFacts facts = whole_system();
  facts.origins.pop_back();
  const StatusReport report = judge(facts);
  CHECK(report.converged());
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0].find("origin till, which is not in the topology") != std::string::npos);
  CHECK(lag_in(report, 0, "till").lag_changes == 0);
  CHECK_FALSE(lag_in(report, 0, "till").in_topology);
  SUBCASE("a region that lacks its changes is not converged") {
    lower(progress_of(facts, 1), kTill, Seq{5});
    check_only_reason(judge(facts), {"us lacks changes 6 to 15", "origin till, which is not in"});
  }
  SUBCASE("so is one that lacks changes of an actor that nobody knows") {
    for (RegionFacts& region : facts.regions) {
      region.replica->progress.actors.erase(kTill);
      region.replica->progress.origins.erase(OriginName{"till"});
    }
    CHECK(judge(facts).converged());
    lower(progress_of(facts, 0), kTill, Seq{14});
    check_only_reason(judge(facts), {"eu lacks change 15 of actor", "an origin that nobody knows",
                                     "copy the Redis of region us"});
    CHECK(judge(facts).reasons[0].find("topology") == std::string::npos);
  }
}

TEST_CASE("whatever a replica knows of an origin that the topology does not name is told") {
  SystemFacts facts = whole_system();
  const OriginName ghost{"ghost"};
  SUBCASE("it was heard, and nothing of it applied") {
    progress_of(facts, 1).origins[ghost] = {ActorId{}, Offset{3}, Seq{}, Hlc{}};
  }
  SUBCASE("it had an actor that never wrote") {
    progress_of(facts, 1).actors[ActorId{0xc1}] = {ghost, {}};
  }
  SUBCASE("it had an actor before this one") {
    progress_of(facts, 1).actors[ActorId{0xc1}] = {ghost, Seq{}};
  }
  const StatusReport report = judge(facts);
  CHECK(report.converged());
  REQUIRE(report.warnings.size() == 1);
  CHECK(report.warnings[0].find("(us) know of origin ghost, which is not in the topology") !=
        std::string::npos);
  CHECK_FALSE(lag_in(report, 1, "ghost").in_topology);
}

TEST_CASE("regions that differ in whose an actor is are not converged") {
  SystemFacts facts = whole_system();
  progress_of(facts, 1).actors[kTill].origin = OriginName{"shop"};
  check_only_reason(judge(facts), {"belongs to origin shop in region us and to origin till"});
}

TEST_CASE("what replicas say about their servers is a warning") {
  SystemFacts facts = whole_system();
  facts.regions[0].replica->warnings = {"maxmemory-policy is allkeys-lru"};
  const StatusReport report = judge(facts);
  CHECK(report.converged());
  CHECK(report.warnings == std::vector<std::string>{"region eu: maxmemory-policy is allkeys-lru"});
}

TEST_CASE("a system in which nothing was ever written is converged") {
  SystemFacts facts = whole_system();
  for (OriginFacts& origin : facts.origins) origin.outbox = OutboxStatus{};
  for (RegionFacts& region : facts.regions) region.replica.emplace();
  CHECK(judge(facts).converged());
}

TEST_CASE("a lag in seconds is never negative, whatever the clocks say") {
  SystemFacts facts = whole_system();
  lower(progress_of(facts, 1), kShop, Seq{99});
  facts.origins[0].outbox->depth = 1;
  facts.origins[0].outbox->oldest = kNow + Micros{60'000'000};
  facts.now = kNow - Micros{3'600'000'000};
  CHECK(lag_in(judge(facts), 1, "shop").lag_seconds == 0.0);
}

}  // namespace
}  // namespace tributary::cli
