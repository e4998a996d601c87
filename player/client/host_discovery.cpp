// How the host finds peers without a tracker: in the DHT and on the local network.
#include <utility>

#include "player/client/host.h"

namespace tributary::player {
namespace {

// In the cache directory.
constexpr const char* kDhtTable = "dht";

}  // namespace

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

void Host::on(core::AnnounceLocally& a) {
  for (const InfoHash& hash : hashes_of(a.torrent)) local_->announce(hash);
}

}  // namespace tributary::player
