#include "player/client/item_state.h"

#include "engine/base/check.h"

namespace tributary::player {

void ItemState::set_open(const OpenTorrent& torrent) {
  const std::lock_guard lock(mutex_);
  TRIBUTARY_CHECK(!torrent_);
  torrent_ = torrent;
  read_blocks_ = Bitfield(torrent.layout->block_count());
  changed_.notify_all();
}

const OpenTorrent* ItemState::torrent() const {
  const std::lock_guard lock(mutex_);
  return torrent_ ? &*torrent_ : nullptr;
}

const OpenTorrent* ItemState::wait_until_open(const std::atomic<bool>& cancelled) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return cancelled || torrent_; });
  return cancelled ? nullptr : &*torrent_;
}

void ItemState::wake() {
  const std::lock_guard lock(mutex_);
  changed_.notify_all();
}

void ItemState::mark_read(core::BlockRange blocks) {
  const std::lock_guard lock(mutex_);
  for (core::BlockIndex b = blocks.begin; b < blocks.end; ++b) read_blocks_.set(b.value());
}

Bitfield ItemState::read_blocks() const {
  const std::lock_guard lock(mutex_);
  return read_blocks_;
}

}  // namespace tributary::player
