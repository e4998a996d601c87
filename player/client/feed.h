// What of one torrent can be read, shared between the loop thread that stores blocks and the decode
// thread that waits for them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "engine/base/bitfield.h"
#include "engine/core/layout.h"

namespace tributary::player {

// Thread-safe. Tracks the readable blocks, and whether reading has been given up.
class Feed {
 public:
  explicit Feed(int blocks) : ready_(blocks) {}

  // Loop thread.
  void set_ready(const Bitfield& blocks);
  void set_ready(core::BlockIndex block);
  void set_lost(core::BlockRange blocks);
  void cancel();

  // Any thread. Whether the block can be read now.
  bool ready(core::BlockIndex block) const;
  // Blocks until `block` is ready; returns the end of the run of ready blocks that it begins, at
  // most `limit`. `block` itself when cancelled.
  core::BlockIndex wait(core::BlockIndex block, core::BlockIndex limit,
                        const std::atomic<bool>& reader_cancelled);
  // Wakes all waiters, so that they look at their own cancel flag.
  void wake() {
    change_under_lock([] {});
  }

 private:
  template <class Change>
  void change_under_lock(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Bitfield ready_;
  bool cancelled_ = false;
};

}  // namespace tributary::player
