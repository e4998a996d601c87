// A scheduling decision as a line of JSON: what `tributary play --trace` writes.
#pragma once

#include <string>

#include "engine/core/trace.h"

namespace tributary::player {

// "out:3" or "in:1".
std::string connection_name(core::ConnId conn);

// Pure; without an end of line. Times are milliseconds: `t_ms` since `start`, the others from the
// decision on; null where there is none. A peer is named by
// connection_name().
std::string decision_line(const core::Decision& decision, TimePoint start);

}  // namespace tributary::player
