/// What `tributary status` prints.
#include "cli/status_text.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/system.h"

namespace tributary::cli {
namespace {

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  return text.substr(text.rfind('\n', end) + 1, end - text.rfind('\n', end));
}

TEST_CASE("the table of a converged system says so in its last line") {
  CHECK(last_line(to_table(judge(whole_system()))) == "converged: every region holds every change");
}

TEST_CASE("the table ends with the reason, or with the first of many") {
  SystemFacts facts = whole_system();
  facts.origins[0].outbox->depth = 3;
  CHECK(
      last_line(to_table(judge(facts))).starts_with("not converged: origin shop: 3 changes wait"));
  facts.origins[1].outbox->depth = 1;
  facts.origins[1].outbox->unconfirmed = 1;
  facts.regions[0].replica->parked = 1;
  const std::string table = to_table(judge(facts));
  CHECK(table.find("not converged, for 4 reasons:\n  - region eu: 1 change is set aside") !=
        std::string::npos);
  CHECK(last_line(table) == "  - and 1 more: `tributary status --json` shows all");
}

TEST_CASE("the table shows how deep an outbox is and how old its oldest change") {
  SystemFacts facts = whole_system();
  facts.origins[0].outbox->depth = 12'345;
  facts.origins[0].outbox->oldest = kNow - Micros{61'300'000};
  const std::string table = to_table(judge(facts));
  CHECK(table.find("12345         61.3            0            0") != std::string::npos);
}

TEST_CASE("the JSON keeps its fields and tells reasons, actors and ages") {
  SystemFacts facts = whole_system();
  lower(progress_of(facts, 1), kShop, Seq{60});
  facts.origins[0].outbox->depth = 1;
  facts.origins[0].outbox->oldest = kNow - Micros{1'500'000};
  const auto json = nlohmann::json::parse(to_json(judge(facts)));
  CHECK(json["converged"] == false);
  CHECK(json["all_reached"] == true);
  CHECK(json["reasons"].size() == 2);
  CHECK(json["warnings"].empty());
  const auto& shop = json["origins"][0];
  for (const char* field : {"name", "region", "actor", "head_seq", "confirmed_seq", "outbox_depth",
                            "unconfirmed", "parked"}) {
    CHECK(shop.contains(field));
  }
  CHECK(shop["oldest_seconds"] == 1.5);
  CHECK(shop["former"] ==
        nlohmann::json::parse(R"([{"actor": "00000000000000a0", "final_seq": 40}])"));
  CHECK(json["origins"][1]["oldest_seconds"] == nullptr);
  const auto& lag = json["regions"][1]["origins"][0];
  CHECK(lag == nlohmann::json::parse(R"({"origin": "shop", "in_topology": true, "applied_seq": 60,
      "lag_changes": 40, "lag_seconds": 2.0, "missing": {"00000000000000a1": 40}})"));
  CHECK(json["regions"][1]["parked"] == 0);
}

TEST_CASE("a server's words with any bytes leave JSON and table whole") {
  SystemFacts facts = whole_system();
  facts.origins[0].outbox.reset();
  facts.origins[0].problem = "\xff\x1b[31m \"\\";
  facts.regions[0].replica.reset();
  facts.regions[0].problem = std::string("nul\0", 4);
  const StatusReport report = judge(facts);
  const auto json = nlohmann::json::parse(to_json(report));
  CHECK(json["origins"][0]["problem"] == "\\xff\\x1b[31m \"\\\\");
  CHECK(json["regions"][0]["problem"] == std::string("nul\0", 4));
  CHECK(json["regions"][1]["origins"][0]["lag_changes"] == nullptr);
  const std::string table = to_table(report);
  CHECK(table.find('\x1b') == std::string::npos);
  CHECK(table.find("\\xff") != std::string::npos);
}

}  // namespace
}  // namespace tributary::cli
