// Hosts a node in the real world: performs its actions over sockets, disk and thread pool, and
// feeds back what happens. The simulator's counterpart is engine/sim/world.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cdn/http/fetcher.h"
#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/core/locality.h"
#include "engine/net/buffer_pool.h"
#include "engine/net/dht_service.h"
#include "engine/net/hasher.h"
#include "engine/net/http_client.h"
#include "engine/net/local_discovery_service.h"
#include "engine/net/loop.h"
#include "engine/net/peer_transport.h"
#include "engine/net/port_mapper.h"
#include "engine/net/source_address.h"
#include "engine/net/store.h"
#include "engine/net/timer.h"
#include "engine/net/tracker_client.h"
#include "player/client/engine_view.h"
#include "player/client/feed.h"
#include "player/client/magnet_resolver.h"
#include "player/node/node.h"

namespace tributary::player {

// How to take part in the DHT.
struct DhtUse {
  bool enabled = false;
  // The node is where peers are listened for, at the same port. Else it is at any address and only
  // searches (BEP 43).
  bool reachable = false;
  std::vector<HostPort> hosts;  // to join through, beside those that torrents and peers name
};

struct HostOptions {
  core::Policy policy;
  std::string cache_directory;     // empty: nothing is remembered
  Bytes cache_limit;               // zero: the default for the disk
  Bytes memory_limit = 64_MiB;     // of the store; see net::StoreOptions
  std::optional<Endpoint> listen;  // none: outgoing connections only
  core::EncryptionMode encryption = core::EncryptionMode::kAllowed;
  // Tell the networks on which `listen` is reached what we have, and hear what others there have.
  // Nobody is told of a loopback address. Where there is no multicast the log says so and no more.
  bool local_discovery = false;
  // Ask peers who has the next track, and answer them (engine/core/overlay.h).
  bool overlay = true;
  // Ask the router to pass the port of `listen` on, where that is an IPv4 address of a network. If
  // it gives another one, trackers and the peers that come afterwards are told that.
  bool map_port = false;
  // Prefer peers of our own subnet and operator, then those that BEP 40 values, where nothing else
  // decides. The operators may be none.
  bool rank_addresses = true;
  std::shared_ptr<const core::OperatorTable> operators;
  DhtUse dht;
  net::Carriers carriers = net::Carriers::kBoth;  // of peers
  std::optional<net::SourceAddress> source;       // all traffic leaves by this interface
  BitRate up = kUnlimited;
  BitRate down = kUnlimited;     // of peers and CDN together
  BitRate up_each = kUnlimited;  // the same of each torrent
  BitRate down_each = kUnlimited;
  std::int32_t max_connections = net::TransportLimits().max_connections;  // of all torrents
  bool upload = true;
  bool super_seed = false;  // see NodeParams
  bool trace = false;
  std::uint64_t seed = 0;  // 0: from the system's random source
  LogSink log;             // may be empty
};

// An open torrent, shared with readers on other threads.
struct OpenTorrent {
  core::TorrentId id;
  std::shared_ptr<const core::Metainfo> metainfo;
  std::shared_ptr<const core::TorrentInfo> info;  // part of metainfo
  std::shared_ptr<const core::Layout> layout;
  std::shared_ptr<Feed> feed;
};

// What passes between a host and its node, and a torrent that was opened, with the blocks that were
// there: all that a session is made of. The pointers are valid during the call.
struct Opened {
  const OpenTorrent* torrent = nullptr;
  const Bitfield* verified = nullptr;
};
using Happening = std::variant<Opened, const core::Input*, const PlayerInput*,
                               const cdn::HttpInput*, const core::Action*, const cdn::HttpAction*>;

// Called on the loop thread, never from within a call of the host's; `happening` alone from within
// any of them. Not once it is destroyed.
struct HostEvents {
  std::function<void(TrackRef)> may_start;
  std::function<void(const core::Decision&)> decision;
  std::function<void(const Result<net::PortMapping>&)> mapped{};
  // An edge refused the URL with this status as it does when a signature has expired.
  std::function<void(core::TorrentId, const std::string& url, int status)> refused{};
  std::function<void(const Happening&, TimePoint now)> happening{};  // may be empty
  std::function<void()> connected{};                                 // see net::HttpClientOptions
};

// Loop thread only. Must be destroyed before the loop; close() first for a clean farewell.
class Host final : public net::TransportHost {
 public:
  // Errors: the port is taken, the cache is in use. The store is opened here, so call it before the
  // loop carries traffic.
  static Result<std::unique_ptr<Host>> create(net::Loop& loop, HostOptions options,
                                              HostEvents events);
  ~Host() override;

  // Opens a torrent; `done` gets it once the cache was looked through. Opening what is open already
  // (the same info-hash) gives the same.
  void open(std::shared_ptr<const core::Metainfo> metainfo,
            std::function<void(const OpenTorrent&)> done);
  // Asks peers what the link stands for: those that it, its trackers, the DHT and `peers` name.
  // `done` is called once, unless give_up() comes first. Errors: kUnsupported where the policy asks
  // no peers; kNotFound where there is no way to find any; kIo after core::kFetchLimit.
  core::TorrentId resolve(const wire::Magnet& magnet, const std::vector<Endpoint>& peers,
                          MagnetResolver::Done done);
  std::optional<core::FetchProgress> progress(core::TorrentId resolving) const {
    return node_->progress(resolving);
  }
  void give_up(core::TorrentId resolving);
  // Offers the user's files below `directory` for the torrent, verified first.
  void add_source(core::TorrentId torrent, std::string directory,
                  std::function<void(std::int32_t done, std::int32_t all)> progress,
                  std::function<void(Bitfield)> done);
  void share(core::TorrentId torrent, bool enabled);
  void set_background(core::TorrentId torrent, bool enabled);
  void add_peer(core::TorrentId torrent, const Endpoint& peer);
  void set_limits(const RateLimits& limits);
  // See Node.
  void set_conduct(const core::Policy& policy, bool upload);
  void set_edges(core::TorrentId torrent, const std::vector<std::string>& edges);
  void feed(const PlayerInput& input);
  void feed(const core::Input& input);
  // Tells trackers and peers goodbye and brings the cache to disk, within a few seconds.
  void close(std::function<void()> done);

  const Node& node() const { return *node_; }
  // In the order in which they were opened; valid until another is.
  std::vector<const OpenTorrent*> open_torrents() const;
  const core::Policy& policy() const { return options_.policy; }
  bool uploads() const { return options_.upload; }
  RateLimits limits() const {
    return {options_.up, options_.down, options_.up_each, options_.down_each};
  }
  net::HttpClient& http() { return *http_; }
  net::StoreReader reader() const { return store_->reader(); }
  // What needs neither waiting nor another thread, see net::Store.
  bool read_now(core::TorrentId torrent, ByteRange range, std::span<std::uint8_t> out) {
    return store_->try_read_now(torrent, range, out);
  }
  net::StoreStats store_stats() const { return store_->stats(); }
  net::LinkStats link_totals() const { return transport_->totals(); }
  std::optional<Endpoint> listening() const { return listening_; }
  TimePoint now() const { return loop_.now(); }

 private:
  struct Torrent;

  Host(net::Loop& loop, HostOptions options, HostEvents events);
  Result<void> start();
  Result<void> check_source() const;
  NodeParams node_params() const;
  Result<void> start_dht();
  void start_local_discovery();
  void start_port_mapping();

  // net::TransportHost
  std::optional<net::LocalSide> find_torrent(const core::Handshake& remote) override;
  std::vector<InfoHash> info_hashes() override { return node_->info_hashes(); }
  void handle(core::Input input) override;
  bool keeps_up() override;

  void limit(Torrent& torrent);
  void note_refusal(const cdn::HttpInput& input);
  void pump();
  void tell(const Happening& happening) {
    if (events_.happening) events_.happening(happening, loop_.now());
  }
  void perform(core::Action action);
  void perform(cdn::HttpAction action);
  void on(core::Connect& a) { transport_->connect(a); }
  void on(core::Disconnect& a) { transport_->disconnect(a.conn, a.reason); }
  void on(core::Send& a) { transport_->send(a.conn, a.message); }
  void on(core::SendBlock& a);
  void on(core::ServeHashes& a);
  void on(core::Verify& a);
  void on(core::VerifyHashes& a);
  void on(core::Store& a);
  void on(core::Free& a) { pool_.release(a.buffer); }
  void on(core::Announce& a);
  void on(core::SearchDht& a);
  void on(core::AnnounceLocally& a);
  void on(core::AddDhtNode& a) { dht_->add_host(a.node); }
  void on(core::VerifyMetadata& a);
  void on(core::VerifyLayer& a) { feed(core::Input(resolver_.verify(a))); }
  void on(core::MetadataFetched& a) { resolver_.finish(a); }
  void on(core::MayStart& a);
  void on(core::Trace& a);
  void on(core::CdnFetch&) {}  // the node's own pool takes these three
  void on(core::CdnCancel&) {}
  void on(core::CdnCorrupt&) {}
  void verify_with_stored(core::Verify action, std::vector<core::BufferId> copies,
                          std::size_t next);
  void wait_for_farewells(std::function<void()> done);
  void answer_hashes(const Torrent& torrent, const core::ServeHashes& request,
                     std::span<const Sha256> leaves, std::int64_t first_leaf);
  void note_leaves(const core::Verified& verified);
  void on_lost(core::TorrentId torrent, core::BlockRange blocks);
  // On a later turn, unless this is destroyed by then.
  void later(net::Loop::Task task);
  void on_versions_disagree(core::TorrentId torrent);
  void log(LogLevel level, const std::string& line) const;
  Torrent* find(core::TorrentId id);
  // Of a torrent or of a link that is being resolved.
  std::vector<InfoHash> hashes_of(core::TorrentId id);

  net::Loop& loop_;
  HostOptions options_;
  HostEvents events_;
  PeerId peer_id_;
  net::TokenBucket up_;
  net::TokenBucket down_;  // peers and CDN spend from it
  net::BufferPool pool_;
  std::unique_ptr<net::HttpClient> http_;
  std::unique_ptr<net::Hasher> hasher_;
  std::unique_ptr<net::Store> store_;
  std::unique_ptr<net::PeerTransport> transport_;
  std::unique_ptr<net::TrackerClient> tracker_;
  std::unique_ptr<net::DhtService> dht_;               // may be none
  std::unique_ptr<net::LocalDiscoveryService> local_;  // may be none
  std::unique_ptr<net::PortMapper> mapper_;            // may be none
  std::unique_ptr<cdn::Fetcher> fetcher_;
  std::unique_ptr<Node> node_;
  MagnetResolver resolver_;
  net::Timer timer_;  // the node's next deadline
  net::Timer farewell_timer_;
  std::map<core::TorrentId, std::unique_ptr<Torrent>> torrents_;
  std::map<cdn::HttpId, std::pair<core::TorrentId, std::string>> asked_;  // for events_.refused
  std::optional<Endpoint> listening_;
  std::uint32_t next_torrent_ = 0;
  bool pumping_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tributary::player
