#include "engine/core/piece_map.h"

#include "engine/base/check.h"

namespace tributary::core {

const PieceMap::Block PieceMap::kIdle{};

PieceMap::PieceMap(const Layout& layout)
    : layout_(&layout),
      have_(layout.block_count()),
      open_(layout.block_count()),
      uncovered_(layout.block_count()),
      have_pieces_(layout.piece_count()),
      open_pieces_(layout.piece_count()) {
  for (BlockIndex b(0); b.value() < layout.block_count(); ++b) {
    if (layout.block_range(b).empty()) {
      set_have(b);
    } else {
      refresh(b);
    }
  }
}

std::size_t PieceMap::owner_count(BlockIndex b) const {
  std::size_t count = 0;
  for (ConnId owner : at(b).owners) count += owner != ConnId() ? 1 : 0;
  return count;
}

PieceMap::Block& PieceMap::change(BlockIndex b) {
  if (blocks_.empty()) blocks_.resize(static_cast<std::size_t>(layout_->block_count()));
  Block& block = blocks_[static_cast<std::size_t>(b.value())];
  if (block != kIdle) --busy_;
  return block;
}

void PieceMap::settled(BlockIndex b) {
  if (at(b) != kIdle) ++busy_;
  if (busy_ == 0 && complete()) blocks_ = {};  // else it would come and go with each block
  refresh(b);
}

void PieceMap::refresh(BlockIndex b) {
  const bool missing = !have(b) && !received(b);
  const bool uncovered = missing && !at(b).cdn;
  const bool open = uncovered && owner_count(b) == 0;
  uncovered ? uncovered_.set(b.value()) : uncovered_.reset(b.value());
  if (open ? !open_.set(b.value()) : !open_.reset(b.value())) return;
  const PieceIndex piece = layout_->piece_of(b);
  const BlockRange blocks = layout_->blocks_of(piece);
  const int next = open_.find_next(blocks.begin.value());
  if (next != Bitfield::kNone && next < blocks.end.value()) {
    open_pieces_.set(piece.value());
  } else {
    open_pieces_.reset(piece.value());
  }
}

void PieceMap::add_owner(BlockIndex b, ConnId peer) {
  for (ConnId& owner : change(b).owners) {
    if (owner != ConnId()) continue;
    owner = peer;
    if (owner_count(b) == kMaxOwners) ++twice_asked_;
    return settled(b);
  }
  TRIBUTARY_CHECK(false);
}

void PieceMap::remove_owner(BlockIndex b, ConnId peer) {
  if (owner_count(b) == 0) return;
  for (ConnId& owner : change(b).owners) {
    if (owner != peer) continue;
    if (owner_count(b) == kMaxOwners) --twice_asked_;
    owner = ConnId();
  }
  settled(b);
}

void PieceMap::set_cdn(BlockIndex b, bool asked) {
  if (at(b).cdn == asked) return;
  change(b).cdn = asked;
  settled(b);
}

void PieceMap::set_received(BlockIndex b, BufferId buffer) {
  TRIBUTARY_CHECK(!have(b) && !received(b) && buffer != kNoBuffer);
  change(b).buffer = buffer;
  settled(b);
}

void PieceMap::reset(BlockIndex b) {
  forget_buffer(b);
  have_.reset(b.value());
  have_pieces_.reset(layout_->piece_of(b).value());
  refresh(b);
}

void PieceMap::forget_buffer(BlockIndex b) {
  if (!received(b)) return;
  change(b).buffer = kNoBuffer;
  settled(b);
}

bool PieceMap::set_have(BlockIndex b) {
  const bool is_new = have_.set(b.value());
  forget_buffer(b);
  if (!is_new) return false;
  refresh(b);
  const BlockRange blocks = layout_->blocks_of(layout_->piece_of(b));
  const int gap = have_.find_next_clear(blocks.begin.value());
  if (gap != Bitfield::kNone && gap < blocks.end.value()) return false;
  return have_pieces_.set(layout_->piece_of(b).value());
}

bool PieceMap::piece_in_hand(PieceIndex p) const {
  const BlockRange blocks = layout_->blocks_of(p);
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    if (!have(b) && !received(b)) return false;
  }
  return true;
}

bool PieceMap::partial(PieceIndex p) const {
  if (!open_pieces_.test(p.value())) return false;
  const BlockRange blocks = layout_->blocks_of(p);
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    if (!open_.test(b.value())) return true;
  }
  return false;
}

}  // namespace tributary::core
