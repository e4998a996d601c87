// Pieces ordered by how many connected peers have them, rarest first (Cohen, "Incentives Build
// Robustness in BitTorrent", 2003, section 2.4).
#pragma once

#include <vector>

#include "engine/base/bitfield.h"
#include "engine/base/random.h"
#include "engine/core/ids.h"

namespace tributary::core {

// Tracks the number of connected peers that have each piece; complete peers are counted apart, as
// they change no order. Pieces are kept sorted by availability in one array with bucket bounds, so
// that a change costs O(1). The arrays are made when a peer first counts piece by piece: a node may
// share many torrents that all who come have whole, or have nothing of.
// Invariants: order_ is a permutation; position_ its inverse; bucket_end_[a] is where pieces of
// availability a end. While they are empty the order is that of the pieces.
class RarestFirst {
 public:
  explicit RarestFirst(std::int32_t pieces) : pieces_(pieces) {}

  void add_have(PieceIndex piece);
  void remove_have(PieceIndex piece);
  // A complete peer is counted apart; the caller remembers whether it was counted so, because a
  // peer may complete later, piece by piece.
  void add_peer(const Bitfield& has, bool as_seed);
  void remove_peer(const Bitfield& has, bool as_seed);

  // Peers that have the piece, complete ones included.
  std::int32_t availability(PieceIndex piece) const {
    if (available_.empty()) return seeds_;
    return seeds_ + available_[static_cast<std::size_t>(piece.value())];
  }

  // The rarest piece of [begin, end) that is in both sets; ties are broken at random. -1: none.
  // Looks at no more than `kMaxLooks` pieces of the order, then takes the next one by position.
  PieceIndex pick(const Bitfield& open, const Bitfield& has, PieceIndex begin, PieceIndex end,
                  Random& random) const;
  static constexpr int kMaxLooks = 128;

 private:
  void make_arrays();
  void move(std::size_t from, std::size_t to);
  std::int32_t ordered(std::size_t place) const {
    return order_.empty() ? static_cast<std::int32_t>(place) : order_[place];
  }

  std::int32_t pieces_;
  std::int32_t seeds_ = 0;
  std::vector<std::int32_t> available_;  // by piece, complete peers left out
  std::vector<std::int32_t> order_;      // pieces, rarest first
  std::vector<std::int32_t> position_;   // by piece: where it is in order_
  std::vector<std::size_t> bucket_end_;  // by availability
};

}  // namespace tributary::core
