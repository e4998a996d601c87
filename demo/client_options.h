// What the commands that fetch from CDN and peers, play and gateway, are told of how to do it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "demo/command_line.h"
#include "demo/network_options.h"
#include "engine/base/result.h"
#include "player/client/client.h"

namespace tributary::demo {

struct ClientArguments {
  std::string policy = "adaptive";
  std::optional<core::Unchoker> unchoker;
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

// Errors: an option that is not understood, a file that is not read, a host that is not found.
Result<void> apply(const ClientArguments& arguments, player::ClientOptions& options);

// Errors: a source that cannot be one, a file that is not there.
Result<void> check_sources(const std::vector<std::string>& sources);

}  // namespace tributary::demo
