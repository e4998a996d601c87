// --transport of the commands that talk to peers.
#pragma once

#include "demo/command_line.h"
#include "engine/base/result.h"
#include "player/client/host.h"

namespace tributary::demo {

// "both", "tcp" or "utp"; the error lists them.
Result<net::Carriers> parse_transport(std::string_view text);
void add_transport_option(Subcommand& sub, net::Carriers& carriers);

}  // namespace tributary::demo
