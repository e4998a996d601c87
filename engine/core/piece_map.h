// What we have, what is on its way and what is open, by block and by piece.
#pragma once

#include <array>
#include <vector>

#include "engine/base/bitfield.h"
#include "engine/core/ids.h"
#include "engine/core/layout.h"

namespace tributary::core {

// A block's way: open -> asked of up to two peers and/or the CDN -> received -> have.
//
// Invariants, for blocks with bytes (padding-only blocks are had from the start):
//   have(b)      => not received, not asked for
//   open(b)     <=> not had, not received, asked of no peer and not of the CDN
//   uncovered(b)<=> not had, not received, not asked of the CDN
//   piece open  <=> some block of it is open
class PieceMap {
 public:
  static constexpr std::size_t kMaxOwners = 2;

  explicit PieceMap(const Layout& layout);

  bool have(BlockIndex b) const { return have_.test(b.value()); }
  bool have_piece(PieceIndex p) const { return have_pieces_.test(p.value()); }
  bool received(BlockIndex b) const { return buffer(b) != kNoBuffer; }
  bool complete() const { return have_.all(); }
  const Bitfield& have_blocks() const { return have_; }
  const Bitfield& have_pieces() const { return have_pieces_; }
  const Bitfield& open_pieces() const { return open_pieces_; }
  const Bitfield& open_blocks() const { return open_; }
  const Bitfield& uncovered() const { return uncovered_; }

  // The unverified payload of a received block, or kNoBuffer.
  BufferId buffer(BlockIndex b) const { return at(b).buffer; }
  bool asked_of_cdn(BlockIndex b) const { return at(b).cdn; }
  // Peers it is asked of; unused places are ConnId().
  const std::array<ConnId, kMaxOwners>& owners(BlockIndex b) const { return at(b).owners; }
  std::size_t owner_count(BlockIndex b) const;
  // Blocks that two peers are asked for.
  std::int32_t twice_asked() const { return twice_asked_; }

  void add_owner(BlockIndex b, ConnId peer);
  void remove_owner(BlockIndex b, ConnId peer);
  void set_cdn(BlockIndex b, bool asked);
  // REQUIRES: neither received nor had.
  void set_received(BlockIndex b, BufferId buffer);
  // Received -> open again, or had -> open again (lost by the store).
  void reset(BlockIndex b);
  // Returns whether its piece became complete by it.
  bool set_have(BlockIndex b);

  // Every block of the piece is had or received: it can be hashed as a whole.
  bool piece_in_hand(PieceIndex p) const;
  // Some block of it is had, received or on its way, and some is open.
  bool partial(PieceIndex p) const;

 private:
  struct Block {
    std::array<ConnId, kMaxOwners> owners{};
    BufferId buffer;
    bool cdn = false;
    friend bool operator==(const Block&, const Block&) = default;
  };
  static const Block kIdle;

  const Block& at(BlockIndex b) const {
    return blocks_.empty() ? kIdle : blocks_[static_cast<std::size_t>(b.value())];
  }
  // For calls that change it; settled() follows them.
  Block& change(BlockIndex b);
  void settled(BlockIndex b);
  void forget_buffer(BlockIndex b);
  void refresh(BlockIndex b);

  const Layout* layout_;
  // Of each block what is under way; empty before the first, and when all is done: a node may share
  // many torrents.
  std::vector<Block> blocks_;
  std::int32_t busy_ = 0;  // blocks of which something is under way
  std::int32_t twice_asked_ = 0;
  Bitfield have_;
  Bitfield open_;
  Bitfield uncovered_;
  Bitfield have_pieces_;
  Bitfield open_pieces_;
};

}  // namespace tributary::core
