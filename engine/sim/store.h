// What one host truly holds: the ground truth behind its node's claims.
#pragma once

#include <map>
#include <optional>

#include "engine/base/bitfield.h"
#include "engine/core/ids.h"
#include "engine/sim/track.h"

namespace tributary::sim {

// Tracks: for each open torrent the blocks that are stored, and those among them whose content is
// wrong (a node must never let one in).
class Store {
 public:
  void open(core::TorrentId torrent, const Track& track, bool complete) {
    Shelf& shelf = shelves_[torrent];
    shelf.track = &track;
    shelf.blocks = Bitfield(track.layout().block_count(), complete);
    shelf.bad = Bitfield(track.layout().block_count());
  }
  bool is_open(core::TorrentId torrent) const { return shelves_.count(torrent) > 0; }

  // REQUIRES for each below: the torrent is open.
  const Track& track(core::TorrentId torrent) const { return *shelves_.at(torrent).track; }
  const Bitfield& blocks(core::TorrentId torrent) const { return shelves_.at(torrent).blocks; }
  // False when the block was there already.
  bool put(core::TorrentId torrent, core::BlockIndex block, bool bad) {
    Shelf& shelf = shelves_.at(torrent);
    if (bad) shelf.bad.set(block.value());
    return shelf.blocks.set(block.value());
  }
  bool has(core::TorrentId torrent, core::BlockIndex block) const {
    const Bitfield& blocks = shelves_.at(torrent).blocks;
    return block.value() >= 0 && block.value() < blocks.size() && blocks.test(block.value());
  }
  bool complete(core::TorrentId torrent) const { return blocks(torrent).all(); }
  bool is_bad(core::TorrentId torrent, core::BlockIndex block) const {
    return shelves_.at(torrent).bad.test(block.value());
  }

  // The end of the run of stored bytes from the media position on.
  Bytes contiguous_end(core::TorrentId torrent, Duration position) const {
    const Shelf& shelf = shelves_.at(torrent);
    const core::Layout& layout = shelf.track->layout();
    const Bytes begin = shelf.track->timeline().offset_at(position);
    if (begin >= layout.total_size()) return layout.total_size();
    const core::BlockIndex first = layout.block_of(begin);
    const int hole = shelf.blocks.find_next_clear(first.value());
    if (hole == Bitfield::kNone) return layout.total_size();
    if (hole == first.value()) return begin;
    return layout.block_range(core::BlockIndex(hole)).begin;
  }
  // The same as media time: what can be played from `position` without a break.
  Duration playable_until(core::TorrentId torrent, Duration position) const {
    const core::ByteTimeMap& timeline = track(torrent).timeline();
    const Bytes end = contiguous_end(torrent, position);
    if (end >= timeline.size()) return timeline.duration();
    return std::max(position, timeline.time_at(end));
  }

 private:
  struct Shelf {
    const Track* track = nullptr;
    Bitfield blocks;
    Bitfield bad;
  };
  std::map<core::TorrentId, Shelf> shelves_;
};

}  // namespace tributary::sim
