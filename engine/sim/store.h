// What one host truly holds: the ground truth behind its node's claims.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "engine/base/bitfield.h"
#include "engine/base/compact_map.h"
#include "engine/core/ids.h"
#include "engine/sim/track.h"

namespace tributary::sim {

// Where a stored block came from: whatever was there before is the cache's.
enum class Origin : std::uint8_t { kCache, kPeers, kCdn };

// Bytes by where they came from.
struct OriginBytes {
  std::array<Bytes, 3> by_origin{};  // by Origin

  Bytes& operator[](Origin origin) { return by_origin[static_cast<std::size_t>(origin)]; }
  Bytes operator[](Origin origin) const { return by_origin[static_cast<std::size_t>(origin)]; }
  Bytes total() const { return by_origin[0] + by_origin[1] + by_origin[2]; }
  OriginBytes& operator+=(const OriginBytes& other) {
    for (std::size_t i = 0; i < by_origin.size(); ++i) by_origin[i] += other.by_origin[i];
    return *this;
  }
};

// Tracks: for each torrent on its shelves the blocks that are stored, where they came from, and
// those among them whose content is wrong (a node must never let one in).
class Store {
 public:
  // REQUIRES: it is not there yet.
  void add(core::TorrentId torrent, const Track& track, bool complete) {
    Shelf& shelf = shelves_[torrent];
    shelf.track = &track;
    shelf.blocks = Bitfield(track.layout().block_count(), complete);
  }
  void remove(core::TorrentId torrent) { shelves_.erase(torrent); }
  bool has(core::TorrentId torrent) const { return shelves_.contains(torrent); }
  // Of all that is stored, by whole blocks.
  Bytes size(core::TorrentId torrent) const {
    const Shelf& shelf = shelves_.at(torrent);
    return std::min(core::kBlockSize * shelf.blocks.count(), shelf.track->size());
  }

  // REQUIRES for each below: the torrent is there.
  const Track& track(core::TorrentId torrent) const { return *shelves_.at(torrent).track; }
  const Bitfield& blocks(core::TorrentId torrent) const { return shelves_.at(torrent).blocks; }
  // False when the block was there already.
  bool put(core::TorrentId torrent, core::BlockIndex block, Origin origin, bool bad) {
    Shelf& shelf = shelves_.at(torrent);
    if (bad && shelf.bad.size() == 0) shelf.bad = Bitfield(shelf.blocks.size());
    if (bad) shelf.bad.set(block.value());
    if (!shelf.blocks.set(block.value())) return false;
    if (shelf.origins.empty()) {
      shelf.origins.resize(static_cast<std::size_t>(shelf.blocks.size()), Origin::kCache);
    }
    shelf.origins[static_cast<std::size_t>(block.value())] = origin;
    return true;
  }
  void lose(core::TorrentId torrent, core::BlockRange blocks) {
    Shelf& shelf = shelves_.at(torrent);
    for (core::BlockIndex b = blocks.begin; b < blocks.end; ++b) shelf.blocks.reset(b.value());
  }
  // From now on all that is there is the cache's.
  void settle(core::TorrentId torrent) { shelves_.at(torrent).origins = {}; }
  Origin origin(core::TorrentId torrent, core::BlockIndex block) const {
    const std::vector<Origin>& origins = shelves_.at(torrent).origins;
    return origins.empty() ? Origin::kCache : origins[static_cast<std::size_t>(block.value())];
  }
  // Of the media in [from, to), which is stored.
  OriginBytes origins(core::TorrentId torrent, Duration from, Duration to) const {
    const Shelf& shelf = shelves_.at(torrent);
    const core::ByteTimeMap& timeline = shelf.track->timeline();
    const ByteRange wanted{timeline.offset_at(from), timeline.offset_at(to)};
    OriginBytes sum;
    if (wanted.empty()) return sum;
    const core::Layout& layout = shelf.track->layout();
    const core::BlockIndex last = layout.block_of(wanted.end - 1_B);
    for (core::BlockIndex b = layout.block_of(wanted.begin); b <= last; ++b) {
      const ByteRange block = layout.block_range(b);
      sum[origin(torrent, b)] +=
          std::min(block.end, wanted.end) - std::max(block.begin, wanted.begin);
    }
    return sum;
  }
  bool has(core::TorrentId torrent, core::BlockIndex block) const {
    const Bitfield& blocks = shelves_.at(torrent).blocks;
    return block.value() >= 0 && block.value() < blocks.size() && blocks.test(block.value());
  }
  bool complete(core::TorrentId torrent) const { return blocks(torrent).all(); }
  bool is_bad(core::TorrentId torrent, core::BlockIndex block) const {
    const Bitfield& bad = shelves_.at(torrent).bad;
    return bad.size() > 0 && bad.test(block.value());
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
    Bitfield bad;                 // empty: none
    std::vector<Origin> origins;  // empty: all the cache's
  };
  CompactMap<core::TorrentId, Shelf> shelves_;
};

}  // namespace tributary::sim
