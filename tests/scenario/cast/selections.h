// Which piece is asked for next, in a swarm without a CDN whose uplinks carry little more than the
// media (Zhou, Chiu & Lui, "A Simple Model for Analyzing P2P Streaming Protocols", ICNP 2007); and
// viewers of one track with no other seed.
#pragma once

#include <string>
#include <vector>

#include "tests/scenario/cast/scenarios.h"

namespace tributary::sim {

struct Selection {
  std::string name;
  Duration urgent_window{};  // so far ahead of the playhead by deadline, the rarest first beyond
  bool in_order = false;     // beyond it as well
};

// In order, rarest first, a mixture whose window is short, and ours.
const std::vector<Selection>& all_selections();

// Twenty viewers of 120 s of video at 2.5 Mbit/s, one a second, who send 3 Mbit/s each, and a seed
// of 6.
ScenarioReport play_by(const Selection& selection);

// So many start the same track of music, 5 s apart; nobody has it but the CDN.
ScenarioReport viewers_of_one(int viewers);

}  // namespace tributary::sim
