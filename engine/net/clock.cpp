#include "engine/net/clock.h"

#include <uv.h>

namespace tributary::net {

TimePoint read_clock() {
  return TimePoint(Duration(static_cast<Duration::rep>(uv_hrtime() / 1000)));
}

}  // namespace tributary::net
