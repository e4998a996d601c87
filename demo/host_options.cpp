#include "demo/host_options.h"

#include "demo/arguments.h"
#include "demo/named.h"
#include "demo/resolve_peers.h"
#include "player/client/operators_file.h"

namespace tributary::demo {
namespace {

Result<player::DhtUse> dht_use(const NetworkArguments& arguments) {
  player::DhtUse use;
  use.enabled = !arguments.no_dht;
  use.reachable = arguments.listen.has_value();
  for (const std::string& text : arguments.dht_nodes) {
    TRIBUTARY_TRY(host, parse_remote("DHT node", text));
    use.hosts.push_back(std::move(host));
  }
  return use;
}

Result<core::Policy> policy_of(const ClientArguments& arguments) {
  auto policy = core::Policy::by_name(arguments.policy);
  if (!policy) return unknown_policy(arguments.policy);
  if (arguments.metered) policy = policy->metered();
  if (!arguments.unchoker.empty()) {
    TRIBUTARY_TRY(unchoker, parse_unchoker(arguments.unchoker));
    policy->unchoker = unchoker;
  }
  return *policy;
}

}  // namespace

Result<core::EncryptionMode> parse_encryption(std::string_view text) {
  return parse_named("encryption", text, core::kEncryptionModes);
}

Result<net::Carriers> parse_transport(std::string_view text) {
  return parse_named("transport", text, net::kCarriers);
}

Result<core::Unchoker> parse_unchoker(std::string_view text) {
  return parse_named("unchoker", text, core::kUnchokers);
}

Result<void> apply(const NetworkArguments& arguments, player::HostOptions& options) {
  TRIBUTARY_TRY(dht, dht_use(arguments));
  TRIBUTARY_TRY(operators, player::read_operators(arguments.operators));
  TRIBUTARY_TRY(encryption, parse_encryption(arguments.encryption));
  TRIBUTARY_TRY(carriers, parse_transport(arguments.transport));
  if (!arguments.source.empty()) {
    TRIBUTARY_TRY(source, net::find_source(arguments.source));
    options.source = std::move(source);
  }
  options.dht = std::move(dht);
  options.operators = std::move(operators);
  options.listen = arguments.listen.value_or(Endpoint::v4(127, 0, 0, 1, 0));
  options.local_discovery = arguments.listen.has_value() && !arguments.no_lsd;
  options.map_port = arguments.listen.has_value() && !arguments.no_port_mapping;
  options.overlay = !arguments.no_overlay;
  options.encryption = encryption;
  options.carriers = carriers;
  options.up = arguments.up;
  options.up_each = arguments.up_each;
  if (arguments.connections) options.max_connections = *arguments.connections;
  return {};
}

Result<void> apply(const ClientArguments& arguments, player::ClientOptions& options) {
  TRIBUTARY_TRY(policy, policy_of(arguments));
  player::HostOptions& host = options.host;
  host.policy = policy;
  host.upload = !arguments.no_upload && !arguments.metered;
  host.cache_directory = arguments.cache;
  host.down = arguments.down;
  host.down_each = arguments.down_each;
  auto applied = apply(arguments.network, host);
  if (!applied) return applied;
  TRIBUTARY_TRY(peers, resolve_peers(arguments.peers));
  options.peers = std::move(peers);
  return {};
}

}  // namespace tributary::demo
