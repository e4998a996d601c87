// A load test's scenario as a person writes it: a TOML file of a few lines. The format is described
// in demo/loadtest/scenarios/README.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/sim/load_plan.h"
#include "engine/sim/load_test.h"

namespace tributary::demo {

// What the CDN's operator charges, in millionths of the currency.
struct Prices {
  std::string currency = "EUR";
  std::int64_t per_gb = 50'000;  // 10⁹ bytes
  std::int64_t per_10000_requests = 7'500;
};

// What a scenario is to be run with, one value after another, in place of what its text says.
struct ScenarioSweep {
  std::string key;  // as an override names it: "links.1.share"; empty: it is run once
  std::vector<std::string> values;
  std::string title;  // of the values
};

struct Scenario {
  std::string name;  // of the file, without folder and ending
  std::string title;
  sim::Workload workload;
  std::string trace_file;               // "": all is drawn
  std::optional<sim::LoadTrace> trace;  // of that file
  sim::LoadSetup setup;
  Prices prices;
  ScenarioSweep sweep;
};

// What is to stand in the file in place of what does: "listeners.count=200", "links.0.up=5M".
using Overrides = std::vector<std::string>;

// Reads the trace that it names as well, from beside the scenario. Errors: kNotFound, and kInvalid
// with the line and the key.
Result<Scenario> read_scenario(const std::string& path, const Overrides& overrides = {});
// A text alone; `source` stands in the errors in place of a path.
Result<Scenario> parse_scenario(std::string_view text, const std::string& source,
                                const Overrides& overrides = {});

}  // namespace tributary::demo
