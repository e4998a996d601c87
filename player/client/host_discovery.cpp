// Where the host is, how it finds peers without a tracker, in the DHT and on the local network, and
// is found by those outside.
#include <utility>

#include "engine/net/address.h"
#include "player/client/host.h"

namespace tributary::player {
namespace {

// In the cache directory.
constexpr const char* kDhtTable = "dht";

}  // namespace

// Who listens elsewhere would not be heard of there, and may not want to be.
Result<void> Host::check_source() const {
  if (!options_.source || !options_.listen) return {};
  const Endpoint& at = *options_.listen;
  const auto& own = options_.source->of_family(at);
  const bool any =
      at.address == Endpoint().address || at.address == Endpoint::v4(0, 0, 0, 0, 0).address;
  if (at.is_loopback() || (any && own) || (own && own->address == at.address)) return {};
  return invalid("cannot listen on " + net::format_endpoint(at) + ": interface " +
                 options_.source->device +
                 " does not have that address; listen on one of its own, or 0.0.0.0");
}

Result<void> Host::start_dht() {
  net::DhtServiceOptions dht;
  const bool reachable = options_.dht.reachable && listening_;
  dht.at = reachable ? *listening_ : Endpoint::v4(0, 0, 0, 0, 0);
  if (reachable) dht.port = transport_->udp_port();
  dht.read_only = !reachable;
  dht.hosts = options_.dht.hosts;
  if (!options_.cache_directory.empty()) dht.table = options_.cache_directory + "/" + kDhtTable;
  auto started = net::DhtService::start(
      loop_, std::move(dht),
      [this](core::TorrentId torrent, const std::vector<Endpoint>& peers) {
        feed(core::Input(core::PeersFound{torrent, core::PeerSource::kDht, peers}));
      },
      options_.log);
  if (!started) return started.error();
  dht_ = std::move(*started);
  return {};
}

void Host::start_local_discovery() {
  if (!options_.local_discovery || !options_.policy.use_peers) return;
  if (!listening_ || listening_->is_loopback()) return;
  auto started = net::LocalDiscoveryService::start(
      loop_, {.listening = *listening_},
      [this](const InfoHash& torrent, const Endpoint& peer) {
        core::Handshake about;
        about.info_hash = torrent;
        const auto welcome = node_->welcome(about);
        if (!welcome) return;
        feed(core::Input(core::PeersFound{welcome->torrent, core::PeerSource::kLocal, {peer}}));
      },
      options_.log);
  if (started) {
    local_ = std::move(*started);
  } else {
    log(LogLevel::kDebug, started.error().message);
  }
}

void Host::start_port_mapping() {
  if (!options_.map_port || !options_.policy.use_peers || !listening_) return;
  if (!listening_->is_v4() || listening_->is_loopback()) return;
  const std::uint16_t inner = listening_->port;
  net::PortMapperOptions mapping_options;
  if (options_.source) mapping_options.interface = net::format_address(*listening_);
  mapper_ = std::make_unique<net::PortMapper>(
      loop_, inner,
      [this, inner](const Result<net::PortMapping>& mapping) {
        const std::uint16_t port = mapping ? mapping->external.port : inner;
        tracker_->set_port(port);
        node_->set_listen_port(port);
        log(LogLevel::kInfo, mapping ? "reachable from outside at " +
                                           net::format_endpoint(mapping->external) + ", by " +
                                           std::string(mapping->by)
                                     : "no router passes a port on: " + mapping.error().message);
        if (events_.mapped) events_.mapped(mapping);
      },
      std::move(mapping_options));
}

void Host::on(core::AnnounceLocally& a) {
  for (const InfoHash& hash : hashes_of(a.torrent)) local_->announce(hash);
}

}  // namespace tributary::player
