// The clock that sinks pace by. An interface, so that tests play an hour in no time.
#pragma once

#include <condition_variable>
#include <mutex>

#include "engine/base/units.h"

namespace tributary::player {

// All members may be called from any thread.
class MediaClock {
 public:
  virtual ~MediaClock() = default;
  // Never goes back.
  virtual TimePoint now() const = 0;
  // Waits on `changed` until it is notified or the time has come; may also return early. kNever
  // waits for a notification. REQUIRES: the lock is held.
  virtual void wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                    TimePoint until) = 0;
};

// std::chrono::steady_clock, from its own origin.
class SteadyMediaClock final : public MediaClock {
 public:
  TimePoint now() const override;
  void wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
            TimePoint until) override;
};

}  // namespace tributary::player
