#include "engine/net/clock.h"

#include <uv.h>

#include <chrono>

namespace tributary::net {

TimePoint read_clock() {
  return TimePoint(Duration(static_cast<Duration::rep>(uv_hrtime() / 1000)));
}

Duration read_calendar() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Duration>(since);
}

}  // namespace tributary::net
