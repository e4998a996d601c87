// Where the tests listen.
#pragma once

#include "engine/base/endpoint.h"

namespace tributary {

inline constexpr Endpoint kAnyPort = Endpoint::v4(127, 0, 0, 1, 0);

}  // namespace tributary
