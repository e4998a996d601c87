// What play and seed are told of the network: where peers reach them, how peers are found, reached
// and spoken to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "demo/command_line.h"
#include "engine/base/result.h"
#include "engine/net/source_address.h"
#include "player/client/host.h"

namespace tributary::demo {

struct NetworkArguments {
  std::optional<Endpoint> listen;
  std::optional<net::SourceAddress> source;
  BitRate up = kUnlimited;
  BitRate up_each = kUnlimited;
  std::int32_t connections = player::HostOptions().max_connections;
  bool no_dht = false;
  std::vector<std::string> dht_nodes;
  bool no_lsd = false;
  bool no_port_mapping = false;
  bool no_overlay = false;
  std::string operators;  // a file, or empty
  core::EncryptionMode encryption = core::EncryptionMode::kAllowed;
  net::Carriers carriers = net::Carriers::kBoth;
};

// `listen`: how the option is called that says where peers reach us.
void add_network_options(Subcommand& sub, NetworkArguments& arguments,
                         const std::string& listen = "--listen");
// --interface alone, which other commands have too.
void add_interface_option(Subcommand& sub, std::optional<net::SourceAddress>& source);

// What only makes sense where others can reach us (a node of the DHT, local discovery, port
// mapping) is done only with --listen. Errors: an option that is not understood, a file that is not
// read.
Result<void> apply(const NetworkArguments& arguments, player::HostOptions& options);

Result<core::EncryptionMode> parse_encryption(std::string_view text);
Result<net::Carriers> parse_transport(std::string_view text);

}  // namespace tributary::demo
