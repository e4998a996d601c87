// Serving others: who may ask (choking), what was asked, in which order it goes out.
#pragma once

#include "engine/core/choker.h"
#include "engine/core/swarm_state.h"

namespace tributary::core {

class Uploader {
 public:
  explicit Uploader(SwarmState& state) : s_(state), choker_(state.random.split()) {}

  void on_request(Peer& peer, const BlockSpan& span);
  void on_cancel(Peer& peer, const BlockSpan& span);
  void on_sent(const BlockSent& event);
  // A peer came, went or changed its mind, or the emergency did.
  void rechoke_soon() { next_rechoke_ = s_.now; }
  // Chokes and unchokes that are due.
  void on_time();
  TimePoint next_deadline() const { return next_rechoke_; }

 private:
  void refuse(Peer& peer, const BlockSpan& span);
  void choke(Peer& peer);
  void pump(Peer& peer);
  bool can_serve(const BlockSpan& span) const;

  SwarmState& s_;
  ChokerState choker_;
  TimePoint next_rechoke_ = kNever;
};

}  // namespace tributary::core
