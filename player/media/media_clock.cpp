#include "player/media/media_clock.h"

namespace tributary::player {

TimePoint SteadyMediaClock::now() const {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return TimePoint(std::chrono::duration_cast<Duration>(since));
}

void SteadyMediaClock::wait(std::unique_lock<std::mutex>& lock, std::condition_variable& changed,
                            TimePoint until) {
  if (until == kNever) return changed.wait(lock);
  changed.wait_until(lock, std::chrono::steady_clock::time_point(until.time_since_epoch()));
}

}  // namespace tributary::player
