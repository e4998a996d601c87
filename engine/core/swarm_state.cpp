#include "engine/core/swarm_state.h"

#include <algorithm>
#include <utility>

namespace tributary::core {
namespace {

// Twice what the CDN's answer may take is too long where peers could help: within these bounds.
constexpr Duration kLeastPatience = 1s;
constexpr Duration kMostPatience = 2s;

}  // namespace

TimePoint SwarmState::silence_at() const {
  if (cdn.silent || cdn.requests.empty() || peers.empty()) return kNever;
  return cdn.heard_at + std::clamp(2 * cdn.answer_time(), kLeastPatience, kMostPatience);
}

void SwarmState::note_silence() {
  if (now < silence_at()) return;
  cdn.silent = true;
  for (const auto& [id, request] : cdn.requests) {
    for (BlockIndex b = request.blocks.begin; b < request.blocks.end; ++b) pieces.set_cdn(b, false);
  }
  reopen();
}

void SwarmState::hear_cdn() {
  cdn.heard_at = now;
  if (!std::exchange(cdn.silent, false)) return;
  for (const auto& [id, request] : cdn.requests) {
    for (BlockIndex b = request.blocks.begin; b < request.blocks.end; ++b) {
      if (!pieces.have(b) && !pieces.received(b)) pieces.set_cdn(b, true);
    }
  }
  reopen();
}

BlockRange SwarmState::needed(ByteRange bytes) const {
  BlockRange blocks = layout.blocks_covering(bytes);
  if (blocks.empty() || layout.blocks_per_piece() == 1) return blocks;
  const BlockRange first = layout.blocks_of(layout.piece_of(blocks.begin));
  const BlockRange last = layout.blocks_of(layout.piece_of(blocks.end - 1));
  return {first.begin, last.end};
}

bool SwarmState::wanted(BlockIndex block) const {
  return background || std::any_of(demands.begin(), demands.end(), [&](const Demand& d) {
           return needed(d.wanted(now)).contains(block);
         });
}

FileIndex SwarmState::file_of(BlockIndex block) const {
  const Bytes at = layout.block_range(block).begin;
  const auto& files = meta.info.files;
  const auto next = std::upper_bound(files.begin(), files.end(), at,
                                     [](Bytes a, const FileEntry& f) { return a < f.offset; });
  return FileIndex(std::max(static_cast<std::int32_t>(next - files.begin()) - 1, 0));
}

Duration SwarmState::buffered(const Demand& demand, TimePoint when) const {
  const ByteRange wanted = demand.wanted(when);
  const Duration playhead = demand.playhead(when);
  if (wanted.empty()) return demand.timeline.duration() - playhead;
  const BlockIndex first = layout.block_of(wanted.begin);
  const int gap = pieces.have_blocks().find_next_clear(first.value());
  if (gap == Bitfield::kNone) return demand.timeline.duration() - playhead;
  const Bytes end = layout.block_range(BlockIndex(gap)).begin;
  if (end >= demand.file_range.end) return demand.timeline.duration() - playhead;
  const Duration until = demand.timeline.time_at(end - demand.file_range.begin);
  return std::max(until - playhead, Duration::zero());
}

std::optional<Sha256> SwarmState::leaf_of(BlockIndex block) const {
  if (!meta.info.has_v2()) return std::nullopt;
  const PieceIndex piece = layout.piece_of(block);
  const auto known = leaves.find(piece);
  const auto in_piece = static_cast<std::size_t>(block - layout.blocks_of(piece).begin);
  if (known != leaves.end() && in_piece < known->second.size()) return known->second[in_piece];
  if (layout.blocks_per_piece() != 1) return std::nullopt;
  const FileEntry& file = meta.info.files[static_cast<std::size_t>(file_of(block).value())];
  if (file.piece_layer.empty()) return file.pieces_root;
  const auto index = static_cast<std::size_t>((layout.block_range(block).begin - file.offset) /
                                              layout.piece_length());
  if (index >= file.piece_layer.size()) return std::nullopt;
  return file.piece_layer[index];
}

Need SwarmState::need() const {
  Need most = Need::kStoring;
  for (const Demand& demand : demands) {
    most = std::max(most, demand.prefetch ? Need::kPrefetching : Need::kPlaying);
  }
  return most;
}

}  // namespace tributary::core
