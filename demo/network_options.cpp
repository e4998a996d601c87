#include "demo/network_options.h"

#include "demo/arguments.h"
#include "demo/named.h"
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

Result<std::optional<net::SourceAddress>> parse_interface(std::string_view text) {
  TRIBUTARY_TRY(source, net::find_source(text));
  return std::optional(std::move(source));
}

}  // namespace

Result<core::EncryptionMode> parse_encryption(std::string_view text) {
  return parse_named("encryption", text, core::kEncryptionModes);
}

Result<net::Carriers> parse_transport(std::string_view text) {
  return parse_named("transport", text, net::kCarriers);
}

void add_interface_option(Subcommand& sub, std::optional<net::SourceAddress>& source) {
  sub.add("--interface", "NAME|ADDRESS", source, parse_interface,
          "Talk from this interface alone to peers, trackers, DHT and CDN; names are looked up as "
          "the system does (any)");
}

void add_network_options(Subcommand& sub, NetworkArguments& arguments, const std::string& listen) {
  sub.add(listen, "HOST:PORT", arguments.listen, parse_told_listen,
          "Where peers and DHT nodes reach us (127.0.0.1, a port of the system's choice; no node)");
  add_interface_option(sub, arguments.source);
  sub.add("--up", "RATE", arguments.up, parse_rate,
          "Limit of upload, in bit/s with k, M, G (none)");
  sub.add("--up-each", "RATE", arguments.up_each, parse_rate,
          "The same for each torrent by itself (none)");
  sub.add("--connections", "N", arguments.connections, parse_count,
          "At most so many connections to peers at once (200)");
  sub.add("--no-dht", arguments.no_dht, "Find no peers through the DHT");
  sub.add("--dht-node", "HOST:PORT", arguments.dht_nodes,
          "A node to join the DHT through, may be repeated (those that peers and torrents name)");
  sub.add("--no-lsd", arguments.no_lsd,
          std::string("Tell the local network nothing and ask it nothing (BEP 14; only with ") +
              listen + ")");
  sub.add("--no-port-mapping", arguments.no_port_mapping,
          "Do not ask the router to pass the port of " + listen + " on (NAT-PMP, UPnP)");
  sub.add("--no-overlay", arguments.no_overlay,
          "Do not ask peers who has the next track, and do not answer them");
  sub.add("--operators", "FILE", arguments.operators,
          "Prefer peers of one's own operator; lines of PREFIX/LEN NAME say who has which "
          "addresses");
  sub.add("--encryption", "MODE", arguments.encryption, parse_encryption,
          "Of connections to peers: off, allowed or required (allowed: who comes in may, and who "
          "refuses a plain one is dialled again)");
  sub.offer("--encryption", names_of(core::kEncryptionModes));
  sub.add("--transport", "NAME", arguments.carriers, parse_transport,
          "Talk to peers by tcp, by utp (gives way to all other traffic) or both: tcp first where "
          "blocks are waited for, else utp (both)");
  sub.offer("--transport", names_of(net::kCarriers));
}

Result<void> apply(const NetworkArguments& arguments, player::HostOptions& options) {
  TRIBUTARY_TRY(dht, dht_use(arguments));
  TRIBUTARY_TRY(operators, player::read_operators(arguments.operators));
  options.dht = std::move(dht);
  options.operators = std::move(operators);
  options.listen = arguments.listen.value_or(Endpoint::v4(127, 0, 0, 1, 0));
  options.local_discovery = arguments.listen.has_value() && !arguments.no_lsd;
  options.map_port = arguments.listen.has_value() && !arguments.no_port_mapping;
  options.overlay = !arguments.no_overlay;
  options.encryption = arguments.encryption;
  options.carriers = arguments.carriers;
  options.source = arguments.source;
  options.up = arguments.up;
  options.max_connections = arguments.connections;
  options.up_each = arguments.up_each;
  return {};
}

}  // namespace tributary::demo
