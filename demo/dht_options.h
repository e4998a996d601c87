// What play and seed are told of the DHT.
#pragma once

#include <string>
#include <vector>

#include "demo/command_line.h"
#include "engine/base/result.h"
#include "player/client/host.h"

namespace tributary::demo {

struct DhtArguments {
  bool off = false;
  std::vector<std::string> hosts;
};

// Adds --no-dht and --dht-node.
void add_dht_options(Subcommand& sub, DhtArguments& arguments);
// `reachable`: the user named the address to listen at. Errors: kInvalid for what is no HOST:PORT.
Result<player::DhtUse> dht_use(const DhtArguments& arguments, bool reachable);

}  // namespace tributary::demo
