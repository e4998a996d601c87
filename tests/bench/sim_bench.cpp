// Simulated listeners per real second: sim_bench LISTENERS... prints one JSON line for each count.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "engine/sim/load.h"

namespace {

// Printed by the runner: tests/bench/run sim.
void measure(std::int32_t listeners) {
  using WallClock = std::chrono::steady_clock;
  tributary::sim::LoadParams params;
  params.listeners = listeners;
  const auto start = WallClock::now();
  const tributary::sim::LoadResult result = tributary::sim::run_load(params);
  const double wall_s = std::chrono::duration<double>(WallClock::now() - start).count();
  const double node_s = std::chrono::duration<double>(result.node_time).count();
  std::printf(
      "{\"listeners\": %d, \"node_s\": %.0f, \"wall_s\": %.3f, \"events\": %llu, \"stalls\": %lld, "
      "\"offload_permille\": %d, \"digest\": \"%016llx\"}\n",
      listeners, node_s, wall_s, static_cast<unsigned long long>(result.events),
      static_cast<long long>(result.stalls), result.offload_permille,
      static_cast<unsigned long long>(result.digest));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: sim_bench LISTENERS...\n");
    return 2;
  }
  for (int i = 1; i < argc; ++i) {
    const int listeners = std::atoi(argv[i]);
    if (listeners < 1 || listeners > 100'000) {
      std::fprintf(stderr, "sim_bench: '%s' is no count of listeners (1 to 100000)\n", argv[i]);
      return 2;
    }
    measure(listeners);
  }
  return 0;
}
