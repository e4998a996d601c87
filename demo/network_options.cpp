#include "demo/network_options.h"

#include "demo/arguments.h"
#include "demo/engine_names.h"

namespace tributary::demo {

void add_interface_option(Subcommand& sub, std::string& source) {
  sub.add("--interface", "NAME|ADDRESS", source, check_interface,
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
  sub.add("--connections", "N", arguments.connections, parse_told_count,
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
  sub.add("--encryption", "MODE", arguments.encryption, check_encryption,
          "Of connections to peers: off, allowed or required (allowed: who comes in may, and who "
          "refuses a plain one is dialled again)");
  sub.offer("--encryption", encryption_names());
  sub.add("--transport", "NAME", arguments.transport, check_transport,
          "Talk to peers by tcp, by utp (gives way to all other traffic) or both: tcp first where "
          "blocks are waited for, else utp (both)");
  sub.offer("--transport", transport_names());
}

}  // namespace tributary::demo
