#include "player/client/feed.h"

#include <algorithm>

namespace tributary::player {

void Feed::set_ready(const Bitfield& blocks) {
  change_under_lock([&] { ready_ = blocks; });
}

void Feed::set_ready(core::BlockIndex block) {
  change_under_lock([&] { ready_.set(block.value()); });
}

void Feed::set_lost(core::BlockRange blocks) {
  change_under_lock([&] {
    for (core::BlockIndex b = blocks.begin; b < blocks.end; ++b) ready_.reset(b.value());
  });
}

void Feed::cancel() {
  change_under_lock([&] { cancelled_ = true; });
}

bool Feed::ready(core::BlockIndex block) const {
  const std::lock_guard lock(mutex_);
  return ready_.test(block.value());
}

core::BlockIndex Feed::ready_until(core::BlockIndex block, core::BlockIndex limit) const {
  const std::lock_guard lock(mutex_);
  const int gap = ready_.find_next_clear(block.value());
  return gap == Bitfield::kNone ? limit : std::min(limit, core::BlockIndex(gap));
}

bool Feed::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

core::BlockIndex Feed::wait(core::BlockIndex block, core::BlockIndex limit,
                            const std::atomic<bool>& reader_cancelled) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return cancelled_ || reader_cancelled || ready_.test(block.value()); });
  if (cancelled_ || reader_cancelled) return block;
  const int gap = ready_.find_next_clear(block.value());
  return gap == Bitfield::kNone ? limit : std::min(limit, core::BlockIndex(gap));
}

}  // namespace tributary::player
