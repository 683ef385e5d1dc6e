/// Runs seeds; a failing one prints the command that replays it.
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>

#include "base/log.h"
#include "tests/simulation/world.h"

int main(int argc, char** argv) {
  using namespace tributary;
  CLI::App app("The real relay and consumer on memory connectors, under a virtual clock.");
  std::uint64_t first = 1;
  std::uint64_t seeds = 2000;
  std::uint64_t shard = 0;
  std::uint64_t shards = 1;
  bool trace = false;
  app.add_option("--seed", first, "First seed")->capture_default_str();
  app.add_option("--seeds", seeds, "How many seeds")
      ->envname("TRIBUTARY_SIMULATION_SEEDS")
      ->capture_default_str();
  app.add_option("--shard", shard, "Which share of them to run")->capture_default_str();
  app.add_option("--shards", shards, "How many shares there are")->capture_default_str();
  app.add_flag("--trace", trace, "Print every action and the daemons' logs");
  CLI11_PARSE(app, argc, argv);
  log::configure("simulation", trace ? log::Level::kDebug : log::Level::kOff, log::Format::kText);
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  for (std::uint64_t seed = first + shard; seed < first + seeds; seed += shards) {
    simulation::World world(seed, trace);
    const auto wrong = world.run();
    ++(wrong ? failed : passed);
    if (!wrong) continue;
    std::printf("seed %llu: %s\n  traits: %s\n  replay: %s --seeds 1 --trace --seed %llu\n",
                static_cast<unsigned long long>(seed), wrong->c_str(), world.traits().c_str(),
                argv[0], static_cast<unsigned long long>(seed));
    std::fflush(stdout);
  }
  std::printf("simulation: %llu passed, %llu failed\n", static_cast<unsigned long long>(passed),
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}
