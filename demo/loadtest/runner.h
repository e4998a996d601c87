// Runs a scenario under several policies, each on a thread of its own.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "demo/loadtest/scenario_file.h"
#include "engine/core/policy.h"
#include "engine/sim/load_test.h"

namespace tributary::demo {

struct LoadRun {
  Scenario scenario;
  std::vector<core::Policy> policies;
  std::uint64_t seed = 1;
};

// Who listens to what and when.
sim::LoadPlan plan_of(const LoadRun& run);

// How much virtual time has passed, of all policies together. Called on the caller's thread, about
// ten times a second.
using LoadProgress = std::function<void(Duration done, Duration total)>;

// The reports in the order of the policies; none once `stop` is set. Deterministic, however many
// threads there are.
std::vector<sim::LoadReport> run_load(const LoadRun& run, const LoadProgress& progress,
                                      const std::atomic<bool>& stop);

}  // namespace tributary::demo
