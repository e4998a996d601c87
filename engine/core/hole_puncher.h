// Connections between peers whom routers keep apart, with the help of one whom both can reach
// (BEP 55).
#pragma once

#include <optional>

#include "engine/base/fifo.h"
#include "engine/core/pacer.h"
#include "engine/core/peer_book.h"
#include "engine/core/swarm_state.h"

namespace tributary::core {

// A dial that nobody answers is taken for one that a router swallows after so long: more than a
// lost SYN's first repetition takes. It goes on meanwhile.
inline constexpr Duration kPunchAfter = 2s;
// Whom one peer told of and can introduce us to; more push the oldest out. BEP 11's 50 a minute
// make it minutes.
inline constexpr std::size_t kMaxAcquaintances = 200;
// Dials that are bid and wait for their turn; more are left out. As many as are dialled at once.
inline constexpr std::size_t kMaxBids = 8;
// Introductions that one peer may ask of us. A newcomer behind a router asks for all it is told of.
inline constexpr Pace kAskPace{.interval = 2s, .burst = 50};
// Introductions of others to one peer, who answers each with a dial: no crowd can make it dial
// more.
inline constexpr Pace kIntroductionPace{.interval = 1s, .burst = 20};
// Dials that one peer may bid us, which is to say two datagrams of 20 bytes to an address of its
// choice; and all peers together.
inline constexpr Pace kBidPace{.interval = 2s, .burst = 50};
inline constexpr Pace kAllBidsPace{.interval = 500ms, .burst = 50};
// Introductions that we ask for.
inline constexpr Pace kOurAskPace{.interval = 1s, .burst = 10};

// Plays all three parts. As one who is kept away it asks, for each address that cannot be dialled,
// every peer once that told of it. As one who is bid to dial, whether it asked or not, it names the
// address by next_dial(). As the relay it makes two connected peers dial each other. Does nothing
// where the host has no uTP, or in a private torrent, whose peers are its tracker's to name
// (BEP 27).
class HolePuncher {
 public:
  HolePuncher(SwarmState& state, PeerBook& book) : s_(state), book_(book) {}

  // A peer told who else is there.
  void on_exchange(Peer& from, const PeerExchange& message);
  // A dial failed, or is not answered. Asks one who can introduce us, if there is any.
  void on_unreachable(const Endpoint& target);
  // Others than the agreed messages, and too many, are offences.
  void on_message(Peer& from, const HolePunch& message);
  // Where to dial, at once; until there is nothing more.
  std::optional<Endpoint> next_dial();

 private:
  using Kind = HolePunch::Kind;
  using Reason = HolePunch::Reason;

  void introduce(Peer& from, const Endpoint& target);
  // Why `from` cannot be introduced to `to`, who may be nobody, at `target`; kNone: it can.
  Reason objection(const Peer& from, const Peer* to, const Endpoint& target) const;
  void on_bid(Peer& from, const Endpoint& remote);
  Peer* find(const Endpoint& endpoint);

  SwarmState& s_;
  PeerBook& book_;
  Fifo<Endpoint> bids_;
  Pacer our_asks_;
  Pacer all_bids_;
};

}  // namespace tributary::core
