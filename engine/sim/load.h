// Many listeners at once: how much virtual time a second of real time buys.
#pragma once

#include <cstdint>

#include "engine/base/units.h"
#include "engine/core/policy.h"

namespace tributary::sim {

struct LoadParams {
  std::int32_t listeners = 1000;
  std::int32_t tracks = 50;  // each listener plays one, drawn at random
  Duration arrivals = 60s;   // the listeners start within this, evenly
  Duration run = 120s;
  std::uint64_t seed = 1;
  core::Policy policy;
};

struct LoadResult {
  Duration node_time;  // sum over listeners of virtual time since their start
  std::uint64_t events = 0;
  std::int64_t stalls = 0;
  std::int32_t offload_permille = 0;
  Bytes from_cdn;
  std::uint64_t digest = 0;
};

// Runs a world of music listeners (155 kbit/s, 240 s tracks; 10 Mbit/s down, 5 up; 20 ms from each
// other, 50 ms from the one edge). Deterministic; the caller measures the real time.
LoadResult run_load(const LoadParams& params);

}  // namespace tributary::sim
