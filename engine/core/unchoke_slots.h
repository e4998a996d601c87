// Within engine/core: what the unchokers share, the filling of slots.
#pragma once

#include <tuple>
#include <vector>

#include "engine/core/choker.h"

namespace tributary::core {

using ChokePeers = std::vector<const ChokePeer*>;

// Those that may be unchoked: interested, and takers at all. In the snapshot's order.
ChokePeers fit_peers(const ChokerSnapshot& snapshot);

// In turns: first those in theirs, then those who wait, then those who have had it. By
// ascending order of what is returned.
inline auto turn_order(const ChokePeer& p, TimePoint now, Duration turn) {
  const bool in_turn = p.unchoked && p.last_unchoked_at + turn > now;
  const int group = in_turn ? 0 : !p.unchoked ? 1 : 2;
  return std::tuple(group, p.unchoked ? TimePoint() : p.last_unchoked_at,
                    p.unchoked ? -p.sent.bits_per_second() : 0, p.connected_at, p.conn);
}

// Gives regular slots to those that `earn` one, in the order given, at a ranking or where one is
// free; then the optimistic ones. The pure rules of displacement are at ChokeRule.
ChokeDecision fill_slots(const ChokerSnapshot& snapshot, const ChokerParams& params,
                         ChokerState& state, const ChokePeers& best_first,
                         bool (*earns)(const ChokePeer&));

}  // namespace tributary::core
