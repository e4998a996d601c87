// --encryption of the commands that speak to peers.
#pragma once

#include <string_view>

#include "engine/base/result.h"
#include "player/client/host.h"

namespace tributary::demo {

// By name; the error lists the names.
Result<core::EncryptionMode> parse_encryption(std::string_view text);

inline constexpr const char* kEncryptionHelp =
    "Of connections to peers: off, allowed or required (allowed: who comes in may, and who refuses "
    "a plain one is dialled again)";

}  // namespace tributary::demo
