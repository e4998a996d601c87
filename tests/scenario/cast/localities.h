// Viewers of several operators, who prefer the nearest peers or do not.
#pragma once

#include <string>

#include "tests/scenario/cast/scenarios.h"

namespace tributary::sim {

struct LocalityPlan {
  bool ranked = true;  // viewers rank addresses and know who their operator is
  std::uint64_t seed = 1;
  int operators = 4;
  int viewers = 80;  // in all, one a second, each of a random operator
};

struct LocalityReport {
  ScenarioReport all;
  Bytes from_operator;  // of all.from_peers
  std::string line() const;
  // Of what peers gave, in percent.
  std::int64_t inside() const;
};

LocalityReport viewers_of_operators(const LocalityPlan& plan);

}  // namespace tributary::sim
