// Runs scenarios and prints one line each: name and trace digest, or with --figures the report.
// Two builds of one commit must print the same lines.
//
//   scenario_digests [--figures] [--video] [--seed N] [--policy NAME]
//                    [--unchoker NAME] [--trace HOST] [SCENARIO...]
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/scenario/cast/incentives.h"
#include "tests/scenario/cast/overlays.h"
#include "tests/scenario/cast/scenarios.h"

namespace {

struct Options {
  tributary::sim::Variation variation;
  tributary::sim::SwarmPlan swarm;
  bool figures = false;
  std::vector<std::string> names;
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    if (arg == "--figures") {
      options.figures = true;
    } else if (arg == "--video") {
      options.variation.video = true;
    } else if (arg == "--seed" && i + 1 < argc) {
      options.variation.seed = std::strtoull(argv[++i], nullptr, 10);
      options.swarm.seed = options.variation.seed;
    } else if (arg == "--unchoker" && i + 1 < argc) {
      const auto unchoker = tributary::core::unchoker_by_name(argv[++i]);
      if (!unchoker) return false;
      options.variation.policy.unchoker = options.swarm.unchoker = *unchoker;
    } else if (arg == "--trace" && i + 1 < argc) {
      options.variation.trace_host = std::atoi(argv[++i]);
    } else if (arg == "--policy" && i + 1 < argc) {
      const auto policy = tributary::core::Policy::by_name(argv[++i]);
      if (!policy) return false;
      options.variation.policy = *policy;
    } else if (arg.rfind("--", 0) == 0) {
      return false;
    } else {
      options.names.push_back(arg);
    }
  }
  return true;
}

bool wanted(const Options& options, const std::string& name) {
  if (options.names.empty()) return true;
  for (const std::string& n : options.names) {
    if (n == name) return true;
  }
  return false;
}

template <class Report>
void print(const Options& options, const std::string& name, const Report& report) {
  if (options.figures) std::printf("%s\n", report.line().c_str());
  std::printf("%s %016llx\n", name.c_str(), static_cast<unsigned long long>(report.digest));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: scenario_digests [--figures] [--video] [--seed N] [--policy NAME] "
                 "[--unchoker NAME] [--trace HOST] [SCENARIO...]\n");
    return 2;
  }
  for (const auto& scenario : tributary::sim::all_scenarios()) {
    if (!wanted(options, scenario.name)) continue;
    print(options, scenario.name, scenario.run(options.variation));
  }
  for (const auto& swarm : tributary::sim::all_swarms()) {
    if (!wanted(options, swarm.name)) continue;
    print(options, swarm.name, swarm.run(options.swarm));
  }
  for (const auto& [name, plan] : tributary::sim::all_overlays()) {
    if (!wanted(options, name)) continue;
    auto seeded = plan;
    seeded.seed = options.swarm.seed;
    print(options, name, tributary::sim::listeners_of_two(name, seeded));
  }
  return 0;
}
