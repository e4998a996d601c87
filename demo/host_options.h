// Options of the commands that host the engine themselves (gateway, seed), as the engine takes
// them.
#pragma once

#include <string_view>

#include "demo/client_options.h"
#include "demo/network_options.h"
#include "engine/base/result.h"
#include "player/client/client.h"

namespace tributary::demo {

// Errors of both: an option that is not understood, a file that is not read, a host that is not
// found.
Result<void> apply(const NetworkArguments& arguments, player::HostOptions& options);
Result<void> apply(const ClientArguments& arguments, player::ClientOptions& options);

Result<core::EncryptionMode> parse_encryption(std::string_view text);
Result<net::Carriers> parse_transport(std::string_view text);
Result<core::Unchoker> parse_unchoker(std::string_view text);

}  // namespace tributary::demo
