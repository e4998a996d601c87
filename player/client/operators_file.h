// The file that says which operator has which addresses.
#pragma once

#include <memory>
#include <string>

#include "engine/base/result.h"
#include "player/client/host.h"

namespace tributary::player {

// The list in the file; none for an empty path. Errors name the file, the line and what is wrong.
Result<std::shared_ptr<const core::OperatorTable>> read_operators(const std::string& path);

}  // namespace tributary::player
