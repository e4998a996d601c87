// The --peer options as addresses.
#pragma once

#include <string>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"

namespace tributary::demo {

// Looks names up, at most ten seconds for all. Errors: kInvalid for what is no HOST:PORT, kIo for a
// name without an address.
Result<std::vector<Endpoint>> resolve_peers(const std::vector<std::string>& peers);

}  // namespace tributary::demo
