// The one place where the project reads a clock.
#pragma once

#include "engine/base/units.h"

namespace tributary::net {

// Monotonic, in microseconds, from an origin that is fixed while the machine is up. Any thread.
TimePoint read_clock();

}  // namespace tributary::net
