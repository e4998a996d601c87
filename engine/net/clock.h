// The one place where the project reads a clock.
#pragma once

#include "engine/base/units.h"

namespace tributary::net {

// Monotonic, in microseconds, from an origin that is fixed while the machine is up. Any thread.
TimePoint read_clock();

// Calendar time since 1970 UTC. It may jump; only for the age of what an earlier run has saved. Any
// thread.
Duration read_calendar();

}  // namespace tributary::net
