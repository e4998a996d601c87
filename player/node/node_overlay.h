// What a node's swarms have to do with the overlay: it goes over the connections of all of them,
// and brings one the peers that it lacks.
#pragma once

#include <optional>
#include <vector>

#include "engine/core/overlay.h"
#include "engine/core/swarm.h"
#include "player/node/node.h"
#include "player/node/swarm_set.h"

namespace tributary::player {

class NodeOverlay final : core::OverlayView {
 public:
  // The swarms must outlive this. `seed`: the node's.
  NodeOverlay(SwarmSet& swarms, std::uint64_t seed);

  // True when the input was the overlay's alone, and no swarm is to have it. Messages of peers that
  // do not understand answers, or of private torrents, are passed over.
  bool handle(const core::Input& input, TimePoint now);
  // Asks who has the track, if one is sought, unless enough that have it are there already. Then
  // the swarms get what the overlay has for them. Call it after each input and when it is due.
  void settle(const std::optional<TrackRef>& sought, TimePoint now);

  TimePoint next_deadline() const { return overlay_.next_deadline(); }
  const core::Overlay& overlay() const { return overlay_; }

 private:
  // core::OverlayView
  std::vector<core::OverlayLink> links() const override;
  core::OverlaySources sources(const InfoHash& sought,
                               const core::OverlayLink& asker) const override;

  SwarmSet& swarms_;
  core::Overlay overlay_;
};

}  // namespace tributary::player
