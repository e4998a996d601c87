// Who else is in the swarm, told and learnt from peer to peer (BEP 11).
#pragma once

#include "engine/core/peer_book.h"
#include "engine/core/swarm_state.h"

namespace tributary::core {

// BEP 11's pace, of our messages to one peer and of its to us.
inline constexpr Duration kExchangeInterval = 60s;
// A peer's clock and the way may bring its message so much early.
inline constexpr Duration kExchangeSlack = 10s;
// A newcomer is told of after so long, together with those who come right after it.
inline constexpr Duration kExchangeDelay = 2s;
// Addresses that we tell or take of one message (BEP 11: 50 added, 50 dropped).
inline constexpr std::size_t kMaxExchanged = 50;

// Tells each peer that understands it which others came and went, and passes what peers tell on to
// the PeerBook. Speaks of connected peers only, by the address at which they accept connections.
// Does nothing in a private torrent (BEP 27).
class PeerExchanger {
 public:
  PeerExchanger(SwarmState& state, PeerBook& book) : s_(state), book_(book) {}

  // A peer came that may be spoken of or to, or one left.
  void on_change();
  // Too many messages are offences, and false; addresses that the peer may not speak of are left
  // out.
  bool on_message(Peer& from, const PeerExchange& message);
  void on_time();
  TimePoint next_deadline() const { return next_; }

 private:
  void tell(Peer& to);

  SwarmState& s_;
  PeerBook& book_;
  TimePoint next_ = kNever;
};

}  // namespace tributary::core
