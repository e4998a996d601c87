// Pieces and blocks of one torrent: arithmetic on torrent space.
#pragma once

#include <vector>

#include "engine/base/units.h"
#include "engine/core/ids.h"
#include "engine/core/torrent_info.h"

namespace tributary::core {

// The triple of a peer request (BEP 3).
struct BlockSpan {
  PieceIndex piece;
  Bytes begin;  // within the piece
  Bytes length;
  friend constexpr auto operator<=>(const BlockSpan&, const BlockSpan&) = default;
};

// Blocks [begin, end).
struct BlockRange {
  BlockIndex begin;
  BlockIndex end;
  constexpr bool empty() const { return end <= begin; }
  constexpr std::int32_t size() const { return end - begin; }
  constexpr bool contains(BlockIndex b) const { return begin <= b && b < end; }
  friend constexpr bool operator==(BlockRange, BlockRange) = default;
};

// Immutable; built once from a TorrentInfo. Blocks carry no padding: a block that padding cuts
// short has the shorter length, and one that is all padding has length zero.
class Layout {
 public:
  // REQUIRES: info.piece_length > 0, files in order and within total_size.
  explicit Layout(const TorrentInfo& info);

  Bytes total_size() const { return total_size_; }
  Bytes piece_length() const { return piece_length_; }
  std::int32_t piece_count() const { return piece_count_; }
  std::int32_t blocks_per_piece() const { return blocks_per_piece_; }
  std::int32_t block_count() const { return block_count_; }

  // The piece's extent in torrent space; v1 counts padding in, as do peers' requests.
  ByteRange piece_range(PieceIndex piece) const;
  BlockRange blocks_of(PieceIndex piece) const;
  PieceIndex piece_of(BlockIndex block) const {
    return PieceIndex(block.value() / blocks_per_piece_);
  }
  // The block's bytes in torrent space, without padding.
  ByteRange block_range(BlockIndex block) const;
  BlockSpan span_of(BlockIndex block) const;
  // The block that starts exactly where the span does; kNoBlock when none does or it is out of
  // range.
  BlockIndex block_at(PieceIndex piece, Bytes begin) const;
  static constexpr BlockIndex kNoBlock = BlockIndex(-1);
  // REQUIRES: 0 <= offset < total_size().
  BlockIndex block_of(Bytes offset) const;
  PieceIndex piece_at(Bytes offset) const;
  // The smallest run of blocks that covers the bytes.
  BlockRange blocks_covering(ByteRange bytes) const;

 private:
  void find_padding(const TorrentInfo& info);
  Bytes data_end(Bytes begin, Bytes end) const;

  Bytes piece_length_;
  Bytes total_size_;
  std::int32_t piece_count_;
  std::int32_t blocks_per_piece_;
  std::int32_t block_count_;
  std::vector<ByteRange> padding_;  // ascending; also the gaps implied by v2 alignment
};

}  // namespace tributary::core
