// A recorded session once more, under any policy: the same node, among peers that come, go, have
// and give what those of the recording did, and a CDN that answers as fast as it did.
//
// Modelled: each peer's measured rate over time, zero while it choked us, and the pieces that it
// had; who dialled whom, and the round trip; the CDN's time to the first byte and its rate over
// time, and when it failed; limits, caches, and what the listener did when. A peer of which no rate
// is known has the median of those known. Not modelled: what we send to peers, trackers, bytes that
// would arrive wrong; and nothing is known of peers that the recorded policy did not connect to.
#pragma once

#include <cstdint>
#include <string>

#include "engine/core/policy.h"
#include "engine/sim/recording.h"

namespace tributary::sim {

struct ReplayReport {
  std::string policy;
  SessionFigures figures;
  bool finished = false;  // the listener came to the end of his list, or stopped where he did
  bool peer_rates_known = false;  // else 2 Mbit/s are assumed of each
  bool cdn_known = false;         // else 50 ms and 20 Mbit/s
  std::uint64_t digest = 0;
};

// Deterministic. REQUIRES: there is a track; sizes and durations are above zero.
ReplayReport replay(const Recording& recording, const core::Policy& policy);

}  // namespace tributary::sim
