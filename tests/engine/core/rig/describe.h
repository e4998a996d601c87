// What a swarm does, as text.
#pragma once

#include <string>

#include "engine/core/events.h"
#include "engine/core/layout.h"

namespace tributary::core {

// "3", or "3-7" without the last.
std::string range_text(BlockRange range);
// "fetch 0-2 startup", "c1: request 3", "verify 3", "store 3", "free", ...
std::string describe(const Action& action, const Layout& layout);

}  // namespace tributary::core
