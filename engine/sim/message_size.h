// What control messages would take on the wire; the simulator sends them as values.
#pragma once

#include "engine/base/units.h"
#include "engine/core/message.h"

namespace tributary::sim {

// Its length, with the prefix that says so; of a piece, all but its payload.
Bytes wire_size(const core::Message& message);

// Whether it is about who else is there.
bool tells_of_peers(const core::Message& message);

}  // namespace tributary::sim
