// What the loop thread, which opens a playlist item's torrent, and the pipeline's thread, which
// reads the item, share of it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "engine/base/bitfield.h"
#include "player/client/host.h"

namespace tributary::player {

// Thread-safe. Tracks the torrent, which is set once, and the blocks the demuxer read.
class ItemState {
 public:
  // Loop thread, once.
  void set_open(const OpenTorrent& torrent);
  // None before set_open(); unchanged, and valid with the state, from then on.
  const OpenTorrent* torrent() const;
  // Blocks until the torrent is open; none when cancelled.
  const OpenTorrent* wait_until_open(const std::atomic<bool>& cancelled);
  // Wakes all waiters, so that they look at their own cancel flag.
  void wake();

  // REQUIRES: the torrent is open.
  void mark_read(core::BlockRange blocks);
  Bitfield read_blocks() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<OpenTorrent> torrent_;
  Bitfield read_blocks_;
};

}  // namespace tributary::player
