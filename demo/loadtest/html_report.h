// A load test's report as one page that needs nothing else: no script, no font, no other file.
#pragma once

#include <string>
#include <vector>

#include "demo/loadtest/scenario_file.h"
#include "engine/sim/load_test.h"

namespace tributary::demo {

// What was run, in the words of a command line.
struct LoadLabel {
  std::string command;
  std::uint64_t seed = 0;
  bool live = false;  // by real nodes, in real time
};

std::string render_html(const Scenario& scenario, const std::vector<sim::LoadReport>& reports,
                        const LoadLabel& label);

}  // namespace tributary::demo
