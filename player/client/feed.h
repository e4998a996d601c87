// What of one torrent can be read, shared between the loop thread that stores blocks and those that
// wait for them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>

#include "engine/base/bitfield.h"
#include "engine/core/layout.h"

namespace tributary::player {

// Thread-safe. Tracks the readable blocks, whether reading has been given up, and who on the loop
// thread wants to know.
class Feed {
 public:
  using Observer = std::function<void()>;

  explicit Feed(int blocks) : ready_(blocks) {}

  // Loop thread. Observers are called after each change; they may not add or remove any.
  void set_ready(const Bitfield& blocks);
  void set_ready(core::BlockIndex block);
  void set_lost(core::BlockRange blocks);
  void cancel();
  void observe(core::ReaderId reader, Observer observer) {
    observers_[reader] = std::move(observer);
  }
  void forget(core::ReaderId reader) { observers_.erase(reader); }

  // Any thread. Whether the block can be read now.
  bool ready(core::BlockIndex block) const;
  // The end of the run of ready blocks that `block` begins, at most `limit`.
  core::BlockIndex ready_until(core::BlockIndex block, core::BlockIndex limit) const;
  bool cancelled() const;
  // Blocks until `block` is ready; returns the end of the run of ready blocks that it begins, at
  // most `limit`. `block` itself when cancelled.
  core::BlockIndex wait(core::BlockIndex block, core::BlockIndex limit,
                        const std::atomic<bool>& reader_cancelled);
  // Wakes all waiters, so that they look at their own cancel flag.
  void wake() {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  }

 private:
  template <class Change>
  void change_under_lock(Change change) {
    {
      const std::lock_guard lock(mutex_);
      change();
      changed_.notify_all();
    }
    for (const auto& [reader, observer] : observers_) observer();
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Bitfield ready_;
  bool cancelled_ = false;
  std::map<core::ReaderId, Observer> observers_;  // loop thread
};

}  // namespace tributary::player
