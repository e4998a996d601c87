// What play, gateway and seed are told of the network: where peers reach them, how peers are found,
// reached and spoken to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "demo/command_line.h"
#include "engine/base/endpoint.h"
#include "engine/base/units.h"

namespace tributary::demo {

// Names are those of engine_names.h.
struct NetworkArguments {
  std::optional<Endpoint> listen;
  std::string source;  // an interface; empty: any
  BitRate up = kUnlimited;
  BitRate up_each = kUnlimited;
  std::optional<std::int32_t> connections;
  bool no_dht = false;
  std::vector<std::string> dht_nodes;
  bool no_lsd = false;
  bool no_port_mapping = false;
  bool no_overlay = false;
  std::string operators;  // a file, or empty
  std::string encryption = "allowed";
  std::string transport = "both";
};

// `listen`: how the option is called that says where peers reach us. What only makes sense where
// others can reach us (a node of the DHT, local discovery, port mapping) is done only with it.
void add_network_options(Subcommand& sub, NetworkArguments& arguments,
                         const std::string& listen = "--listen");
// --interface alone, which other commands have too.
void add_interface_option(Subcommand& sub, std::string& source);

}  // namespace tributary::demo
