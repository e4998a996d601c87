#include "engine/core/policy.h"

namespace tributary::core {

// Kreitz & Niemelä, "Spotify - Large Scale, Low Latency, P2P Music-on-Demand Streaming", IEEE P2P
// 2010, section III; what that text leaves open is the adaptive value.
Policy Policy::spotify() {
  Policy p;
  p.name = "spotify";
  p.head = 15s;
  p.no_peer_low = 3s;
  p.no_peer_high = 15s;
  p.alone_low = 15s;
  p.alone_high = 30s;
  p.server_throttle = 15s;
  p.seed_swarm = false;
  p.in_order = true;
  p.unchoker = Unchoker::kNeedFirst;
  p.emergency_only_when_late = false;
  p.prefetch_head = 15s;
  p.prefetch_early = false;
  return p;
}

Policy Policy::cdn_only() {
  Policy p;
  p.name = "cdn-only";
  p.use_peers = false;
  p.seed_swarm = false;
  return p;
}

Policy Policy::peers_only() {
  Policy p;
  p.name = "peers-only";
  p.use_cdn = false;
  p.seed_swarm = false;
  p.peers_wait_for_head = false;
  return p;
}

Policy Policy::metered() const {
  Policy p = *this;
  p.seed_swarm = false;
  p.peer_horizon = 30s;         // a few skips a minute then waste little
  p.prefetch_budget = 512_KiB;  // the 10 s of a head at 320 kbit/s, and its index
  p.prefetch_early = false;
  p.prefetch_head_only = true;
  return p;
}

std::optional<Policy> Policy::by_name(std::string_view name) {
  for (const Policy& p : {adaptive(), spotify(), cdn_only(), peers_only()}) {
    if (p.name == name) return p;
  }
  return std::nullopt;
}

}  // namespace tributary::core
