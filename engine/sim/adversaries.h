// Selfish and hostile clients. They are the shipping node with another strategy, as the clients of
// the papers were a common client with one: only what it says or whom it serves differs.
//
//   free-rider     HostParams::upload = false; with large_view() a BitThief
//   BitTyrant      HostParams::unchoke = bit_tyrant(…)
//   hider          HostParams::hides_pieces: under-reports what it has
//   need liar      HostParams::claims
//   polluter       HostParams::corrupt
//   Sybil group    many nodes, each with a part of one access link
//   slow liar      a seed whose access link is slow
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "engine/core/choker.h"
#include "engine/core/layout.h"
#include "engine/core/message.h"
#include "engine/core/peer_book.h"

namespace tributary::sim {

// Piatek, Isdal, Anderson, Krishnamurthy and Venkataramani, "Do incentives build robustness in
// BitTorrent?", NSDI 2007: per peer it keeps what it expects to get (d) and what it believes that
// costs (u); each round it unchokes by the best d/u while its capacity lasts, sends each no more
// than u, lowers u by a tenth for who has reciprocated for three rounds and raises it by a fifth
// for who did not. So it comes in last among those that are served, and holds back the rest. When
// complete it gives nothing.
core::ChokeRule bit_tyrant(BitRate capacity);

// Locher, Moor, Schmid and Wattenhofer, "Free Riding in BitTorrent is Cheap" (BitThief), HotNets
// 2006; Sirivianos et al., "Free-riding in BitTorrent networks with the large view exploit", IPTPS
// 2007: connects to everybody it hears of, for each is another optimistic slot.
core::PeerBookParams large_view();

// Levin, LaCurts, Spring and Bhattacharjee, "BitTorrent is an Auction", SIGCOMM 2008: shows each
// peer only so many pieces as keep it interested, the most common first, so that others find little
// to trade among themselves.
//
// Tracks: what we truly have; per connection what the peer has and what it was shown.
class PieceHider {
 public:
  // Shown and not yet taken, of one connection: keeps the peer's pipeline full.
  static constexpr std::size_t kAtOnce = 8;

  // The node says this; returns what is said instead, if anything.
  std::optional<core::Message> said(core::ConnId conn, const core::Message& message,
                                    const core::Layout& layout);
  void heard(core::ConnId conn, const core::Message& message);
  // Blocks of it go to the peer, who will not tell us that it has it, for it knows that we do.
  void gave(core::ConnId conn, core::PieceIndex piece) { add(others_[conn], piece.value()); }
  // The next piece to show, and to whom; nothing for now. Drain it after each heard().
  std::optional<std::pair<core::ConnId, core::PieceIndex>> show();

 private:
  struct Other {
    std::set<std::int32_t> has;
    std::set<std::int32_t> shown;
    bool has_all = false;
  };
  void add(Other& other, std::int32_t piece);
  std::optional<std::int32_t> choose(const Other& other) const;

  std::set<std::int32_t> ours_;
  std::map<core::ConnId, Other> others_;
  std::map<std::int32_t, std::int32_t> common_;  // by piece: how many others have it
};

}  // namespace tributary::sim
