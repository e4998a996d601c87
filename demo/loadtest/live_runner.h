// Runs a scenario with real nodes, under one policy after the other, against a deployment or
// against servers of this process.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "demo/loadtest/live_deployment.h"
#include "demo/loadtest/runner.h"
#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/sim/load_report.h"

namespace tributary::demo {

// One loop on one core runs all nodes; more of them only measure that core.
inline constexpr std::int32_t kMostLiveNodes = 1000;

struct LiveOptions {
  LiveTarget target;
  std::string content;             // folder of the tracks' files; "": one that goes at the end
  std::optional<Endpoint> listen;  // of each node; none: loopback, or any where the target is not
};

struct LiveRun {
  std::vector<sim::LoadReport> reports;  // of the policies whose turn came
  bool stopped = false;                  // before the end
};

// `tell` gets lines for the user: what will be sent where, before anything is. Shows progress.
// Errors: kInvalid for what no real node can be, kLimit, kIo, kCancelled where nothing was
// measured.
Result<LiveRun> run_live(const LoadRun& run, const LiveOptions& options,
                         const std::function<void(const std::string&)>& tell,
                         const std::atomic<bool>& stop);

}  // namespace tributary::demo
