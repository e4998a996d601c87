// A load test's scenario as a person writes it: a TOML file of a few lines. The format is described
// in demo/loadtest/scenarios/README.md.
#pragma once

#include <string>
#include <string_view>

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

struct Scenario {
  std::string name;  // of the file, without folder and ending
  std::string title;
  sim::Workload workload;
  sim::LoadSetup setup;
  Prices prices;
};

// Errors: kNotFound, kIo, and kInvalid with the line and the key.
Result<Scenario> read_scenario(const std::string& path);
// The same of a text; `source` stands in the errors in place of a path.
Result<Scenario> parse_scenario(std::string_view text, const std::string& source);

}  // namespace tributary::demo
