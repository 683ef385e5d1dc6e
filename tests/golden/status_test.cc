/// What `tributary status --json` prints, of a system in which every member is there.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "cli/status_text.h"
#include "tests/golden/golden.h"
#include "tests/unit/cli/system.h"

namespace tributary::golden {
namespace {

cli::OriginFacts unlike(const char* name, bool retired) {
  cli::OriginFacts facts;
  facts.name = name;
  facts.region = "us";
  facts.retired = retired;
  if (!retired) facts.problem = "no answer";
  return facts;
}

cli::SystemFacts system_of_all_kinds() {
  cli::SystemFacts facts = cli::whole_system();
  cli::lower(cli::progress_of(facts, 0), cli::kShop, Seq{60});
  facts.origins[0].outbox->depth = 1;
  facts.origins[0].outbox->oldest = cli::kNow - Micros{1'500'000};
  facts.origins[1].outbox->actor.reset();
  facts.origins[1].stream_problem = "no such stream";
  facts.origins.push_back(unlike("silent", false));
  facts.origins.push_back(unlike("closed", true));
  facts.regions[0].replica->parked = 2;
  facts.regions[0].replica->warnings = {"a warning"};
  facts.regions[1].replica.reset();
  facts.regions[1].problem = "no answer";
  return facts;
}

TEST_CASE("status --json is this") {
  const std::string json = cli::to_json(cli::judge(system_of_all_kinds()));
  check("status_json.txt", {kStatusFormat, "kStatusFormat in tests/golden/golden.h"},
        nlohmann::ordered_json::parse(json).dump(2) + '\n');
}

}  // namespace
}  // namespace tributary::golden
