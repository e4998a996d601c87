// Super-seeding (BEP 16): a first seed on a thin line shows each peer a few pieces at a time, and
// others only once these were seen at somebody else. So it sends little twice until the swarm has
// one whole copy.
#pragma once

#include "engine/core/swarm_state.h"

namespace tributary::core {

// Acts only while SwarmState::super_seeding(); what each peer was told is in Peer::revealed.
class SuperSeed {
 public:
  // Shown to a peer at once: one to send while the other is on its way through the swarm.
  static constexpr std::size_t kAtOnce = 2;

  explicit SuperSeed(SwarmState& state)
      : s_(state),
        shown_(state.params.super_seed ? static_cast<std::size_t>(state.layout.piece_count()) : 0),
        random_(state.params.seed) {}

  // What it has is known by now, or more of it may be shown.
  void reveal(Peer& peer);
  // Somebody has the piece.
  void on_have(PieceIndex piece);
  // A block was sent. A peer that has the whole piece from us will not say so, for it knows that we
  // have it (BEP 3); whether it now has it is for the caller to note.
  bool has_all_of(Peer& peer, const BlockSpan& sent);
  // Somebody left; perhaps the one others had to wait for.
  void on_closed();

 private:
  bool has_spread(const Peer& from, PieceIndex piece) const;
  void forget_spread(Peer& peer);
  PieceIndex choose(const Peer& peer);

  SwarmState& s_;
  std::vector<std::int32_t> shown_;  // by piece: how often
  Random random_;
};

}  // namespace tributary::core
