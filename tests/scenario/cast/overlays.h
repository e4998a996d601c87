// Listeners of the same two tracks, who ask each other for the second while its tracker is late.
#pragma once

#include <string>
#include <vector>

#include "engine/core/overlay.h"
#include "tests/scenario/cast/scenarios.h"

namespace tributary::sim {

struct OverlayPlan {
  bool overlay = true;
  std::uint64_t seed = 1;
  int listeners = 20;  // one every `every`
  Duration every = 5s;
  Duration tracker_delay = 15s;  // of the second track's; the first's answers at once
  bool first_private = false;
  bool second_private = false;
};

struct OverlayReport {
  ScenarioReport all;
  int prefetches = 0;  // listeners who looked for peers of the second track
  // Of them, before any tracker answered: had a peer that the overlay named, and a block of one.
  int had_peer = 0;
  int had_block = 0;
  // Messages of the overlay that arrived, and their bytes on the wire.
  std::int64_t queries = 0;
  std::int64_t answers = 0;
  Bytes bytes;
  std::int64_t most_queries = 0;  // messages of one query
  core::OverlayCounts counts;     // of all listeners
  std::uint64_t digest = 0;
  std::string line() const;
};

OverlayReport listeners_of_two(const std::string& name, const OverlayPlan& plan);

struct NamedOverlay {
  std::string name;
  OverlayPlan plan;
};
// overlay_late, overlay_never, overlay_off: a tracker that answers after 15 s, or never, and one
// that never does without the overlay. overlay_crowd: fifty within 10 s, and the late tracker.
const std::vector<NamedOverlay>& all_overlays();

}  // namespace tributary::sim
