// A clock that moves when a sink waits for it, and when a test says so.
#pragma once

#include <atomic>

#include "player/media/media_clock.h"

namespace tributary::player {

class VirtualClock final : public MediaClock {
 public:
  TimePoint now() const override { return TimePoint(Duration(now_.load())); }
  void advance(Duration by) { now_ += by.count(); }
  // Waiting for a time is being there at once.
  void wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
            TimePoint until) override {
    if (until == kNever) return changed.wait(lock);
    std::int64_t now = now_;
    const std::int64_t then = until.time_since_epoch().count();
    while (now < then && !now_.compare_exchange_weak(now, then)) {
    }
    // Whoever wants the lock gets a chance to interrupt.
    lock.unlock();
    lock.lock();
  }

 private:
  std::atomic<std::int64_t> now_ = 0;
};

}  // namespace tributary::player
