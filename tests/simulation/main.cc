/// Runs seeds; a failing one prints the command that replays it.
#include <cstdio>
#include <string>

#include "world.h"
#include <CLI/CLI.hpp>

#include <tributary/base/log.h>

int main(int argc, char** argv) {
  using namespace tributary;
  CLI::App app("The real relay and consumer on memory connectors, under a virtual clock.");
  std::uint64_t first = 1;
  std::uint64_t seeds = 2000;
  bool trace = false;
  app.add_option("--seed", first, "First seed")->capture_default_str();
  app.add_option("--seeds", seeds, "How many seeds")->capture_default_str();
  app.add_flag("--trace", trace, "Print every action and the daemons' logs");
  CLI11_PARSE(app, argc, argv);
  log::configure("simulation", trace ? log::Level::kDebug : log::Level::kOff, log::Format::kText);
  int failed = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const auto wrong = simulation::World(seed, trace).run();
    if (!wrong) continue;
    ++failed;
    std::printf("seed %llu: %s\n  replay: %s --seeds 1 --trace --seed %llu\n",
                static_cast<unsigned long long>(seed), wrong->c_str(), argv[0],
                static_cast<unsigned long long>(seed));
    std::fflush(stdout);
  }
  std::printf("simulation: %llu passed, %d failed\n",
              static_cast<unsigned long long>(seeds - static_cast<std::uint64_t>(failed)), failed);
  return failed == 0 ? 0 : 1;
}
