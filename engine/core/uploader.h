// Serving others: who may ask (choking), what was asked, in which order it goes out.
#pragma once

#include <algorithm>

#include "engine/core/choker.h"
#include "engine/core/fair_share.h"
#include "engine/core/swarm_state.h"

namespace tributary::core {

class Uploader {
 public:
  explicit Uploader(SwarmState& state)
      : s_(state),
        unchoke_(state.params.unchoke ? state.params.unchoke
                                      : unchoke_by(state.params.policy.unchoker)),
        choker_(state.random.split()) {}

  void on_request(Peer& peer, const BlockSpan& span);
  void on_cancel(Peer& peer, const BlockSpan& span);
  void on_sent(const BlockSent& event);
  // A peer has become interested, or is so no more.
  void on_interest(const Peer& peer);
  // A peer came, went or changed its need, or the emergency began or ended.
  void rechoke_soon() { next_rechoke_ = s_.now; }
  // Chokes and unchokes that are due.
  void on_time();
  TimePoint next_deadline() const { return std::min(next_rechoke_, next_block_); }

 private:
  void refuse(Peer& peer, const BlockSpan& span);
  void choke(Peer& peer);
  void rechoke();
  ChokerSnapshot snapshot() const;
  // As far as what it was sent allows.
  Need believed_need(const Peer& peer) const;
  void share_out(const ChokeDecision& decision);
  void spend_need(Peer& peer, Bytes sent);
  // Hands blocks to the host: for this peer as far as it takes them, or by the shares.
  void serve(Peer& peer);
  void pump(Peer& peer);
  void serve_by_shares();
  bool start_one(Peer& peer);
  bool can_serve(const BlockSpan& span) const;

  SwarmState& s_;
  ChokeRule unchoke_;
  ChokerState choker_;
  FairShare shares_;
  TimePoint next_rechoke_ = kNever;
  bool full_ = false;              // as the last decision left the slots
  TimePoint next_block_ = kNever;  // when a share's own limit lets another go
};

}  // namespace tributary::core
