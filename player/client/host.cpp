#include "player/client/host.h"

#include <algorithm>
#include <utility>

#include "engine/core/peer_address.h"
#include "engine/net/address.h"
#include "engine/net/digests.h"
#include "engine/net/torrent_hashes.h"
#include "prefetch/eviction.h"

namespace tributary::player {
namespace {

// Azureus style (BEP 20): TB for Tributary, 0.1.0.
constexpr std::string_view kPeerIdPrefix = "-TB0100-";

PeerId make_peer_id() {
  PeerId id;
  net::secure_random(id.bytes);
  std::copy(kPeerIdPrefix.begin(), kPeerIdPrefix.end(), id.bytes.begin());
  return id;
}

std::string make_session() {
  std::array<std::uint8_t, 16> bytes{};
  net::secure_random(bytes);
  return Digest<struct SessionTag, 16>::from(bytes).hex();
}

bool same_torrent(const core::TorrentInfo& a, const core::TorrentInfo& b) {
  if (a.v2_hash && b.v2_hash) return *a.v2_hash == *b.v2_hash;
  return a.v1_hash && b.v1_hash && *a.v1_hash == *b.v1_hash;
}

}  // namespace

struct Host::Torrent {
  OpenTorrent open;
  std::shared_ptr<const net::TorrentHashes> hashes;  // none for a plain URL
  net::TokenBucket up;
  net::TokenBucket down;
  bool ready = false;
  bool disagreed = false;
  std::vector<std::function<void(const OpenTorrent&)>> waiting;
  // Of blocks that were verified by them and are not stored yet.
  std::map<core::BlockIndex, Sha256> leaves;
};

Host::Host(net::Loop& loop, HostOptions options, HostEvents events)
    : loop_(loop),
      options_(std::move(options)),
      events_(std::move(events)),
      peer_id_(make_peer_id()),
      up_(options_.up),
      down_(options_.down),
      timer_(loop),
      farewell_timer_(loop) {}

Host::~Host() { net::talk_from(loop_, nullptr); }

Result<std::unique_ptr<Host>> Host::create(net::Loop& loop, HostOptions options,
                                           HostEvents events) {
  std::unique_ptr<Host> host(new Host(loop, std::move(options), std::move(events)));
  auto started = host->start();
  if (!started) return started.error();
  return host;
}

Result<void> Host::start() {
  auto checked = check_source();
  if (!checked) return checked;
  if (options_.source) net::talk_from(loop_, &*options_.source);
  // First, for libcurl gets ready beside all that follows.
  net::HttpClientOptions http;
  http.download = &down_;
  http.connected = events_.connected;
  http_ = std::make_unique<net::HttpClient>(loop_, http);
  net::StoreOptions store;
  store.cache_directory = options_.cache_directory;
  store.disk_limit = options_.cache_limit;
  store.memory_limit = options_.memory_limit;
  store.default_limit = prefetch::default_cache_limit;
  store.eviction = prefetch::least_recently_used;
  store.log = options_.log;
  auto opened = net::Store::open(
      loop_, std::move(store),
      [this](core::TorrentId id, core::BlockRange blocks) { on_lost(id, blocks); });
  if (!opened) return opened.error();
  store_ = std::move(*opened);
  hasher_ = std::make_unique<net::Hasher>(
      loop_, pool_,
      net::Hasher::Events{
          [this](core::Verified verified, net::Verdict verdict) {
            if (verdict == net::Verdict::kVersionsDisagree) {
              return on_versions_disagree(verified.torrent);
            }
            note_leaves(verified);
            feed(core::Input(std::move(verified)));
          },
          [this](core::HashesVerified verified) { feed(core::Input(std::move(verified))); }});
  net::TransportLimits limits;
  limits.max_connections = options_.max_connections;
  transport_ = std::make_unique<net::PeerTransport>(loop_, pool_, *this, options_.log, limits,
                                                    options_.carriers);
  transport_->set_encryption(options_.encryption);
  transport_->pacer().share(up_, down_);
  if (options_.listen) {
    auto at = transport_->listen(*options_.listen);
    if (!at) return at.error();
    listening_ = *at;
  }
  const std::uint16_t port = listening_ ? listening_->port : std::uint16_t{0};
  tracker_ = std::make_unique<net::TrackerClient>(
      loop_, *http_,
      net::TrackerIdentity{peer_id_, port, static_cast<std::uint32_t>(net::secure_random_u64()),
                           listening_ && listening_->is_loopback()},
      [this](const net::TrackerClient::Outcome& outcome) {
        std::visit([this](const auto& reply) { feed(core::Input(reply)); }, outcome);
      },
      options_.log);
  fetcher_ = std::make_unique<cdn::Fetcher>(
      loop_, *http_, pool_,
      [this](const cdn::HttpInput& input) {
        tell(&input);
        note_refusal(input);
        node_->handle(input, loop_.now());
        pump();
      },
      options_.log, [this](core::TorrentId id) { return &find(id)->down; });
  if (options_.dht.enabled && options_.policy.use_peers) {
    auto dht = start_dht();
    if (!dht) return dht;
  }
  start_local_discovery();
  node_ = std::make_unique<Node>(node_params());
  start_port_mapping();
  return {};
}

NodeParams Host::node_params() const {
  NodeParams params;
  params.policy = options_.policy;
  params.peer_id = peer_id_;
  params.listen_port = listening_ ? listening_->port : std::uint16_t{0};
  params.loopback_only = listening_ && listening_->is_loopback();
  params.dht = dht_ != nullptr;
  params.dht_port = dht_ && options_.dht.reachable ? dht_->port() : std::uint16_t{0};
  params.local = local_ != nullptr;
  params.overlay = options_.overlay;
  params.session = make_session();
  params.seed = options_.seed != 0 ? options_.seed : net::secure_random_u64();
  params.trace = options_.trace;
  params.upload = options_.upload;
  params.super_seed = options_.super_seed;
  params.hole_punching = options_.carriers != net::Carriers::kTcp;
  params.up = std::min(options_.up, options_.up_each);
  params.rank_addresses = options_.rank_addresses;
  params.operators = options_.operators.get();
  // At any other address the world sees us elsewhere: peers tell where.
  const bool of_the_world = listening_ && core::is_dialable(*listening_) && !listening_->is_local();
  if (of_the_world) params.own_address = listening_;
  return params;
}

Host::Torrent* Host::find(core::TorrentId id) {
  const auto it = torrents_.find(id);
  return it == torrents_.end() ? nullptr : it->second.get();
}

void Host::open(std::shared_ptr<const core::Metainfo> metainfo,
                std::function<void(const OpenTorrent&)> done) {
  for (auto& [id, torrent] : torrents_) {
    if (!same_torrent(torrent->open.metainfo->info, metainfo->info)) continue;
    if (torrent->ready) return later([t = torrent->open, done] { done(t); });
    return torrent->waiting.push_back(std::move(done));
  }
  const core::TorrentId id(++next_torrent_);
  auto torrent = std::make_unique<Torrent>();
  OpenTorrent& open = torrent->open;
  open.id = id;
  open.info = std::shared_ptr<const core::TorrentInfo>(metainfo, &metainfo->info);
  open.metainfo = std::move(metainfo);
  open.layout = std::make_shared<core::Layout>(*open.info);
  open.feed = std::make_shared<Feed>(open.layout->block_count());
  if (open.info->has_v1() || open.info->has_v2()) {
    torrent->hashes = std::make_shared<net::TorrentHashes>(open.info);
  }
  torrent->waiting.push_back(std::move(done));
  Torrent& t = *(torrents_[id] = std::move(torrent));
  t.up = net::TokenBucket(options_.up_each, net::TokenBucket::kDefaultBurst, &up_);
  t.down = net::TokenBucket(options_.down_each, net::TokenBucket::kDefaultBurst, &down_);
  limit(t);
  store_->open_torrent(id, t.open.info, t.open.layout, [this, &t](const Bitfield& verified) {
    t.ready = true;
    t.open.feed->set_ready(verified);
    tell(Opened{&t.open, &verified});
    node_->open(t.open.id, *t.open.metainfo, verified, loop_.now());
    for (auto& waiter : std::exchange(t.waiting, {})) waiter(t.open);
    pump();
  });
}

std::vector<const OpenTorrent*> Host::open_torrents() const {
  std::vector<const OpenTorrent*> all;
  for (const auto& [id, torrent] : torrents_) {
    if (torrent->ready) all.push_back(&torrent->open);
  }
  return all;
}

// Without limits of its own the connections need not look for them at each read and block.
void Host::limit(Torrent& torrent) {
  transport_->pacer().limit(torrent.open.id,
                            torrent.up.rate() == kUnlimited ? nullptr : &torrent.up,
                            torrent.down.rate() == kUnlimited ? nullptr : &torrent.down);
}

void Host::set_limits(const RateLimits& limits) {
  const TimePoint now = loop_.now();
  options_.up = limits.up;
  options_.down = limits.down;
  options_.up_each = limits.up_each;
  options_.down_each = limits.down_each;
  up_.set_rate(limits.up, now);
  down_.set_rate(limits.down, now);
  for (auto& [id, torrent] : torrents_) {
    torrent->up.set_rate(limits.up_each, now);
    torrent->down.set_rate(limits.down_each, now);
    limit(*torrent);
  }
  http_->resume();
}

void Host::set_conduct(const core::Policy& policy, bool upload) {
  options_.policy = policy;
  options_.upload = upload;
  node_->set_conduct(policy, upload, loop_.now());
  pump();
}

void Host::set_edges(core::TorrentId torrent, const std::vector<std::string>& edges) {
  node_->set_edges(torrent, edges, loop_.now());
  pump();
}

void Host::add_source(core::TorrentId torrent, std::string directory,
                      std::function<void(std::int32_t, std::int32_t)> progress,
                      std::function<void(Bitfield)> done) {
  store_->add_source(torrent, std::move(directory), std::move(progress),
                     [this, torrent, done = std::move(done)](Bitfield verified) {
                       if (Torrent* t = find(torrent)) t->open.feed->set_ready(verified);
                       feed(core::Input(core::Restored{torrent, verified}));
                       done(std::move(verified));
                     });
}

void Host::share(core::TorrentId torrent, bool enabled) {
  node_->share(torrent, enabled, loop_.now());
  pump();
}

void Host::set_background(core::TorrentId torrent, bool enabled) {
  feed(core::Input(core::SetBackground{torrent, enabled}));
}

void Host::add_peer(core::TorrentId torrent, const Endpoint& peer) {
  node_->add_peer(torrent, peer, loop_.now());
  pump();
}

void Host::feed(const PlayerInput& input) {
  tell(&input);
  node_->handle(input, loop_.now());
  pump();
}

void Host::feed(const core::Input& input) {
  tell(&input);
  node_->handle(input, loop_.now());
  pump();
}

void Host::handle(core::Input input) { feed(input); }

// What the store cannot take it drops, to be fetched again. The other half of its memory is for the
// piece under way and for what the CDN is asked meanwhile.
bool Host::keeps_up() {
  return store_->pending_writes() + hasher_->pending_bytes() < options_.memory_limit / 2;
}

std::optional<net::LocalSide> Host::find_torrent(const core::Handshake& remote) {
  const auto welcome = node_->welcome(remote);
  if (!welcome) return std::nullopt;
  return net::LocalSide{welcome->torrent, welcome->handshake};
}

// Performing an action may call back at once; the outermost call drains for all.
void Host::pump() {
  if (std::exchange(pumping_, true)) return;
  while (auto action = node_->poll()) {
    if (auto* core_action = std::get_if<core::Action>(&*action)) {
      tell(static_cast<const core::Action*>(core_action));
      perform(std::move(*core_action));
    } else {
      auto* http_action = std::get_if<cdn::HttpAction>(&*action);
      tell(static_cast<const cdn::HttpAction*>(http_action));
      perform(std::move(*http_action));
    }
  }
  pumping_ = false;
  timer_.start(node_->next_deadline(), [this] {
    node_->tick(loop_.now());
    pump();
  });
}

void Host::perform(core::Action action) {
  std::visit([this](auto& a) { on(a); }, action);
}

void Host::perform(cdn::HttpAction action) {
  const auto* get = std::get_if<cdn::HttpGet>(&action);
  if (get && events_.refused && !get->parts.empty()) {
    asked_[get->id] = {get->torrent, get->parts.front().url};
  }
  fetcher_->perform(std::move(action));
}

void Host::note_refusal(const cdn::HttpInput& input) {
  const auto* done = std::get_if<cdn::HttpDone>(&input);
  if (!done) return;
  const auto asked = asked_.extract(done->id);
  const bool refused = done->status == 401 || done->status == 403 || done->status == 410;
  if (!asked || done->outcome != cdn::HttpOutcome::kRefused || !refused) return;
  events_.refused(asked.mapped().first, asked.mapped().second, done->status);
}

void Host::on(core::SendBlock& a) {
  const Torrent* torrent = find(a.torrent);
  if (!torrent) return;
  const Bytes begin = torrent->open.layout->piece_range(a.span.piece).begin + a.span.begin;
  const core::BufferId buffer =
      a.span.length <= core::kBlockSize ? pool_.allocate(a.span.length) : core::kNoBuffer;
  if (buffer != core::kNoBuffer) {
    const ByteRange bytes{begin, begin + a.span.length};
    const bool read = store_->try_read_now(a.torrent, bytes, pool_.data(buffer));
    if (read) transport_->send_block(a.conn, a.span, pool_.share(buffer));
    pool_.release(buffer);
    if (read) return;
  }
  store_->read(a.torrent, a.span, [this, a](Result<std::vector<std::uint8_t>> read) {
    if (read) return transport_->send_block(a.conn, a.span, *std::move(read));
    feed(core::Input(core::BlockSent{a.torrent, a.conn, a.span, false}));
  });
}

void Host::on(core::ServeHashes& a) {
  const Torrent* torrent = find(a.torrent);
  if (!torrent || !torrent->hashes) return;
  const auto* tree = torrent->hashes->tree(a.span.pieces_root);
  if (!tree || a.span.base_layer >= static_cast<std::uint32_t>(tree->piece_layer())) {
    return answer_hashes(*torrent, a, {}, 0);
  }
  // Leaves below the piece layer are not in the metainfo: hash the stored blocks they stand for.
  const auto& files = torrent->open.info->files;
  const auto file = std::find_if(files.begin(), files.end(), [&](const core::FileEntry& f) {
    return f.pieces_root == a.span.pieces_root;
  });
  const std::int64_t first = std::int64_t{a.span.index} << a.span.base_layer;
  const std::int64_t count = std::int64_t{a.span.length} << a.span.base_layer;
  const ByteRange bytes = intersect(
      {file->offset + core::kBlockSize * first, file->offset + core::kBlockSize * (first + count)},
      file->range());
  if (bytes.empty() || bytes.size() > net::kMaxStoreRead) return answer_hashes(*torrent, a, {}, 0);
  const auto known = store_->leaves(a.torrent, torrent->open.layout->blocks_covering(bytes));
  if (!known.empty()) return answer_hashes(*torrent, a, known, first);
  store_->read(a.torrent, bytes, [this, a, first, torrent](Result<std::vector<std::uint8_t>> read) {
    std::vector<Sha256> leaves;
    if (read) {
      const std::span<const std::uint8_t> all(*read);
      constexpr auto kBlock = static_cast<std::size_t>(core::kBlockSize.count());
      for (std::size_t at = 0; at < all.size(); at += kBlock) {
        leaves.push_back(net::sha256(all.subspan(at, std::min(kBlock, all.size() - at))));
      }
    }
    answer_hashes(*torrent, a, leaves, first);
  });
}

void Host::answer_hashes(const Torrent& torrent, const core::ServeHashes& request,
                         std::span<const Sha256> leaves, std::int64_t first_leaf) {
  const auto* tree = torrent.hashes->tree(request.span.pieces_root);
  if (tree && tree->check_request(request.span)) {
    auto hashes =
        tree->serve(request.span, leaves, net::kDigester, static_cast<std::uint32_t>(first_leaf));
    if (hashes)
      return transport_->send(request.conn, core::Hashes{request.span, *std::move(hashes)});
  }
  transport_->send(request.conn, core::HashReject{request.span});
}

void Host::on(core::Verify& a) {
  Torrent* torrent = find(a.torrent);
  if (!torrent) return;
  if (a.leaf) torrent->leaves[a.blocks.begin] = *a.leaf;
  const bool whole =
      std::find(a.buffers.begin(), a.buffers.end(), core::kNoBuffer) == a.buffers.end();
  if (whole) return hasher_->verify(torrent->hashes, a);
  verify_with_stored(std::move(a), {}, 0);
}

// Blocks that were verified by themselves are in the store: fetch them to hash the whole piece.
void Host::verify_with_stored(core::Verify action, std::vector<core::BufferId> copies,
                              std::size_t next) {
  Torrent* torrent = find(action.torrent);
  while (next < action.buffers.size() && action.buffers[next] != core::kNoBuffer) ++next;
  if (!torrent || next == action.buffers.size()) {
    if (torrent) hasher_->verify(torrent->hashes, action);
    for (core::BufferId copy : copies) pool_.release(copy);
    return;
  }
  const core::BlockIndex block = action.blocks.begin + static_cast<std::int32_t>(next);
  const ByteRange bytes = torrent->open.layout->block_range(block);
  auto go_on = [this, action, copies, next, block](Result<std::vector<std::uint8_t>> read) mutable {
    const core::BufferId copy = read ? pool_.copy(*read) : core::kNoBuffer;
    if (copy == core::kNoBuffer) {
      // Lost: the piece is verified once the block was fetched again.
      for (core::BufferId id : copies) pool_.release(id);
      return on_lost(action.torrent, {block, block + 1});
    }
    action.buffers[next] = copy;
    copies.push_back(copy);
    verify_with_stored(std::move(action), std::move(copies), next + 1);
  };
  if (bytes.empty()) return go_on(std::vector<std::uint8_t>{});  // padding
  store_->read(action.torrent, bytes, std::move(go_on));
}

void Host::on(core::VerifyHashes& a) {
  if (const Torrent* torrent = find(a.torrent)) hasher_->verify_hashes(torrent->hashes, a);
}

void Host::on(core::Store& a) {
  Torrent* torrent = find(a.torrent);
  Sha256 leaf;
  if (torrent) {
    if (const auto known = torrent->leaves.extract(a.block)) leaf = known.mapped();
  }
  store_->put(a.torrent, a.block, pool_.share(a.buffer), leaf);
  pool_.release(a.buffer);
  if (torrent) torrent->open.feed->set_ready(a.block);
}

// Spares the store from hashing again what it is given next.
void Host::note_leaves(const core::Verified& verified) {
  Torrent* torrent = find(verified.torrent);
  if (!torrent) return;
  const bool told = verified.good && torrent->open.info->has_v2() &&
                    std::ssize(verified.digests) == verified.blocks.size();
  if (verified.good && !told) return;
  for (core::BlockIndex b = verified.blocks.begin; b < verified.blocks.end; ++b) {
    if (told) {
      torrent->leaves[b] = verified.digests[static_cast<std::size_t>(b - verified.blocks.begin)];
    } else {
      torrent->leaves.erase(b);
    }
  }
}

void Host::on_lost(core::TorrentId torrent, core::BlockRange blocks) {
  if (Torrent* t = find(torrent)) t->open.feed->set_lost(blocks);
  feed(core::Input(core::BlocksLost{torrent, blocks}));
}

// BEP 52: a hybrid whose two hash sets contradict each other is not to be trusted at all.
void Host::on_versions_disagree(core::TorrentId torrent) {
  Torrent* t = find(torrent);
  if (!t || std::exchange(t->disagreed, true)) return;
  log(LogLevel::kError, t->open.info->name +
                            ": the torrent's v1 and v2 hashes contradict each other; "
                            "it was made wrongly and cannot be played");
  t->open.feed->cancel();
  node_->close(torrent, loop_.now());
  transport_->disconnect_all(torrent, "v1 and v2 hashes disagree");
}

std::vector<InfoHash> Host::hashes_of(core::TorrentId id) {
  if (const wire::Magnet* magnet = resolver_.magnet(id)) return magnet->info_hashes();
  const Torrent* torrent = find(id);
  return torrent ? torrent->open.info->info_hashes() : std::vector<InfoHash>();
}

void Host::on(core::Announce& a) {
  const std::vector<InfoHash> hashes = hashes_of(a.torrent);
  if (!hashes.empty()) tracker_->announce(a, hashes);
}

void Host::on(core::SearchDht& a) {
  const std::vector<InfoHash> hashes = hashes_of(a.torrent);
  if (hashes.empty()) return;
  const Torrent* torrent = find(a.torrent);
  if (torrent) dht_->add_hosts(torrent->open.metainfo->dht_nodes);
  // Who does not have the torrent's metadata has nothing to announce.
  const bool announced = torrent && options_.dht.reachable && listening_;
  dht_->search(a.torrent, hashes, announced ? listening_->port : std::uint16_t{0});
}

core::TorrentId Host::resolve(const wire::Magnet& magnet, const std::vector<Endpoint>& peers,
                              MagnetResolver::Done done) {
  const core::TorrentId id(++next_torrent_);
  const bool named = !magnet.trackers.empty() || !magnet.peers.empty() || !peers.empty();
  auto hopeless = MagnetResolver::hopeless(options_.policy, named || dht_ != nullptr);
  if (hopeless) {
    loop_.post([done = std::move(done), error = *std::move(hopeless)] { done(error); });
    return id;
  }
  node_->fetch(id, resolver_.begin(id, magnet, std::move(done)), loop_.now());
  for (const Endpoint& peer : peers) node_->add_peer(id, peer, loop_.now());
  resolver_.find_peers(loop_, id, [this, id](const Endpoint& peer) { add_peer(id, peer); });
  pump();
  return id;
}

void Host::give_up(core::TorrentId resolving) {
  resolver_.forget(resolving);
  node_->close(resolving, loop_.now());
  pump();
}

void Host::on(core::VerifyMetadata& a) {
  auto verdict = resolver_.verify(a);
  if (verdict) return feed(core::Input(*std::move(verdict)));
  node_->close(a.torrent, loop_.now());
}

void Host::on(core::MayStart& a) {
  later([this, track = TrackRef{a.torrent, a.file}] {
    if (events_.may_start) events_.may_start(track);
  });
}

void Host::later(net::Loop::Task task) {
  loop_.post([alive = std::weak_ptr(alive_), task = std::move(task)] {
    if (!alive.expired()) task();
  });
}

void Host::on(core::Trace& a) {
  if (events_.decision) events_.decision(a.decision);
}

void Host::log(LogLevel level, const std::string& line) const {
  if (options_.log) options_.log(level, line);
}

void Host::close(std::function<void()> done) {
  feed(PlayerInput(PlaybackEnded{}));
  for (auto& [id, torrent] : torrents_) {
    torrent->open.feed->cancel();
    node_->close(id, loop_.now());
  }
  pump();
  if (dht_) {
    auto saved = dht_->save();
    if (!saved) log(LogLevel::kWarning, saved.error().message);
  }
  wait_for_farewells([this, done = std::move(done)] { store_->close(done); });
}

// The tracker client gives up by itself after kStoppedTimeout.
void Host::wait_for_farewells(std::function<void()> done) {
  if (tracker_->running() == 0) return done();
  farewell_timer_.start(loop_.now() + 20ms,
                        [this, done = std::move(done)] { wait_for_farewells(done); });
}

}  // namespace tributary::player
