#include "demo/dht_options.h"

#include "engine/net/address.h"
#include "engine/wire/text.h"

namespace tributary::demo {

void add_dht_options(Subcommand& sub, DhtArguments& arguments) {
  sub.add("--no-dht", arguments.off, "Find no peers through the DHT");
  sub.add("--dht-node", "HOST:PORT", arguments.hosts,
          "A node to join the DHT through, may be repeated (those that peers and torrents name)");
}

Result<player::DhtUse> dht_use(const DhtArguments& arguments, bool reachable) {
  player::DhtUse use;
  use.enabled = !arguments.off;
  use.reachable = reachable;
  for (const std::string& text : arguments.hosts) {
    auto host = net::parse_host_port(text);
    if (!host || host->port == 0) {
      return invalid("DHT node '" + wire::printable(text) +
                     "' is not understood; give HOST:PORT like 127.0.0.1:6881");
    }
    use.hosts.push_back(*std::move(host));
  }
  return use;
}

}  // namespace tributary::demo
