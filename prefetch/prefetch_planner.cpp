#include "prefetch/prefetch_planner.h"

#include <algorithm>

namespace tributary::prefetch {
namespace {

PrefetchStage stage_of(const PrefetchParams& params, const PrefetchSnapshot& s) {
  if (!s.next_known || !s.current_safe) return PrefetchStage::kIdle;
  const bool late = s.left <= params.server_at;
  if (late && s.head_missing > 0_B && !s.paused) return PrefetchStage::kServer;
  if (params.head_only) return PrefetchStage::kIdle;
  const bool soon = s.left <= std::max(params.find_peers_at, params.server_at);
  const bool early = params.early && s.current_complete;
  return soon || early ? PrefetchStage::kPeers : PrefetchStage::kIdle;
}

// The next threshold that the playhead will cross, if crossing it can change the stage.
TimePoint next_change(const PrefetchParams& params, const PrefetchSnapshot& s) {
  if (s.paused || !s.next_known || !s.current_safe) return kNever;
  for (Duration threshold : {std::max(params.find_peers_at, params.server_at), params.server_at}) {
    if (s.left <= threshold) continue;
    PrefetchSnapshot then = s;
    then.left = threshold;
    if (stage_of(params, then) != stage_of(params, s)) return s.now + (s.left - threshold);
  }
  return kNever;
}

}  // namespace

PrefetchPlan plan_prefetch(const PrefetchParams& params, const PrefetchSnapshot& snapshot) {
  PrefetchPlan plan;
  plan.stage = stage_of(params, snapshot);
  plan.next_change = next_change(params, snapshot);
  if (plan.stage == PrefetchStage::kPeers) plan.budget = params.budget;
  if (plan.stage == PrefetchStage::kServer) {
    plan.budget = std::min(snapshot.head_size, params.budget);
  }
  return plan;
}

Bytes head_bytes(const PrefetchParams& params, const core::ByteTimeMap& map) {
  Bytes head = map.known() ? map.offset_at(params.head) : params.blind_head;
  if (map.size() > 0_B) head = std::min(head, map.size());
  return std::min(head, params.budget);
}

}  // namespace tributary::prefetch
