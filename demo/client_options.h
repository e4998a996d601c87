// What the commands that fetch from CDN and peers, play and gateway, are told of how to do it.
#pragma once

#include <string>
#include <vector>

#include "demo/command_line.h"
#include "demo/network_options.h"
#include "engine/base/result.h"
#include "engine/base/units.h"

namespace tributary::demo {

struct ClientArguments {
  std::string policy = "adaptive";
  std::string unchoker;  // a name of engine_names.h; empty: as the policy has it
  std::string cache;
  BitRate down = kUnlimited;
  BitRate down_each = kUnlimited;
  std::vector<std::string> peers;
  NetworkArguments network;
  bool no_upload = false;
  bool metered = false;
};

// Policy and cache; then limits and peers. The network's are added by add_network_options().
void add_policy_options(Subcommand& sub, ClientArguments& arguments);
void add_limit_options(Subcommand& sub, ClientArguments& arguments);

// Of --policy.
Error unknown_policy(const std::string& name);

}  // namespace tributary::demo
