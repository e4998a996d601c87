// How large a swarm is, as its tracker counts it.
#pragma once

#include <cstdint>

namespace tributary::wire {

// What a scrape tells (BEP 48, BEP 15).
struct SwarmCounts {
  std::int64_t seeds = 0;
  std::int64_t leechers = 0;
  std::int64_t downloaded = 0;  // "completed" events
  friend bool operator==(const SwarmCounts&, const SwarmCounts&) = default;
};

}  // namespace tributary::wire
