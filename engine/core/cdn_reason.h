// Why bytes are asked of the CDN: the ledger's and the trace's columns.
#pragma once

#include <array>
#include <string_view>

namespace tributary::core {

enum class CdnReason {
  kStartup,    // the head of a track, or the first seconds after a seek
  kUrgent,     // peers have it, none can deliver it by its deadline
  kRescue,     // asked of a peer that is late with it
  kNoPeer,     // no connected peer has it
  kSeedSwarm,  // fetched ahead of need so that the swarm holds one copy
  kPrefetch,   // the next track's head, late
};
inline constexpr std::array kCdnReasons = {CdnReason::kStartup,   CdnReason::kUrgent,
                                           CdnReason::kRescue,    CdnReason::kNoPeer,
                                           CdnReason::kSeedSwarm, CdnReason::kPrefetch};

// The name in reports: "startup", "urgent", "rescue", "no_peer", "seed_swarm", "prefetch".
constexpr std::string_view to_string(CdnReason reason) {
  constexpr std::array<std::string_view, 6> kNames = {"startup", "urgent",     "rescue",
                                                      "no_peer", "seed_swarm", "prefetch"};
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace tributary::core
