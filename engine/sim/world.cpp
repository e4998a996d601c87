#include "engine/sim/world.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::sim {
namespace {

CheckerParams checker_params(const WorldParams& params) {
  CheckerParams p;
  p.seed = params.seed;
  p.abort_on_violation = params.abort_on_violation;
  return p;
}

// Azureus style (BEP 20), then the host's number.
PeerId peer_id_of(HostId host) {
  PeerId id;
  const std::string name = "-TR0010-";
  std::copy(name.begin(), name.end(), id.bytes.begin());
  std::uint64_t rest = Random::mix(static_cast<std::uint64_t>(host.value()) + 1);
  for (std::size_t i = name.size(); i < id.bytes.size(); ++i) {
    id.bytes[i] = static_cast<std::uint8_t>('a' + rest % 26);
    rest /= 26;
  }
  return id;
}

// core::prop_share: sixteen givers and one newcomer.
constexpr std::int32_t kMostShares = 17;

}  // namespace

World::World(const WorldParams& params)
    : params_(params),
      random_(params.seed),
      cdn_(queue_, links_, *this, random_.next()),
      tracker_(queue_, *this, params.tracker, random_.next()),
      peers_(queue_, links_, *this),
      dht_(queue_, links_, *this, Random::mix(params.seed)),
      checkers_(checker_params(params)) {}

World::~World() = default;

HostId World::add_edge(const EdgeParams& params) {
  const HostId host = cdn_.add_edge(params);
  actors_.push_back(nullptr);
  return host;
}

core::TorrentId World::add_track(const TrackParams& params) {
  tracks_.push_back(std::make_unique<Track>(params, random_.next()));
  received_of_.emplace_back();
  return core::TorrentId(static_cast<std::uint32_t>(tracks_.size() - 1));
}

const Track& World::track(core::TorrentId torrent) const { return *tracks_[torrent.value()]; }

HostId World::add_node(const HostParams& params) {
  const HostId host = links_.add_host(params.link);
  TRIBUTARY_CHECK(static_cast<std::size_t>(host.value()) == actors_.size());
  const Endpoint address = params.address.value_or(PeerNet::endpoint_of(host));
  peers_.add_host(host, address, params.accepts_inbound);
  peers_.set_realm(host, params.realm);
  auto made = std::make_unique<Actor>();
  made->id = host;
  made->params = params;
  if (params.hides_pieces) made->hider.emplace();
  made->node = make_node(params, peer_id_of(host), address);
  actors_.push_back(std::move(made));
  if (params.dht) dht_.join(host, address, params.accepts_inbound);
  // Who weighs shares may unchoke more than the customary five.
  if (params.unchoke || params.policy.unchoker == core::Unchoker::kPropShare) {
    checkers_.allow_unchoked(host, kMostShares);
  }
  return host;
}

std::unique_ptr<player::Node> World::make_node(const HostParams& params, const PeerId& peer_id,
                                               const Endpoint& address) {
  player::NodeParams node;
  node.policy = params.policy;
  node.peer_id = peer_id;
  node.listen_port = address.port;
  node.overlay = params.overlay;
  node.dht = params.dht;
  node.hole_punching = params.hole_punching;
  if (params.dht && params.accepts_inbound) node.dht_port = address.port;
  node.rank_addresses = params.rank_addresses;
  if (params.rank_addresses) {
    node.operators = params.operators;
    node.own_address = address;
  }
  node.seed = random_.next();
  node.trace = params.trace;
  node.upload = params.upload;
  node.super_seed = params.super_seed;
  node.book = params.book;
  node.unchoke = params.unchoke;
  node.up = params.link.up;
  return std::make_unique<player::Node>(std::move(node));
}

Endpoint World::address(HostId host) const {
  return actor(host).params.address.value_or(PeerNet::endpoint_of(host));
}

void World::seed(HostId host, core::TorrentId torrent) {
  Actor& a = actor(host);
  if (!a.store.has(torrent)) give(host, torrent);
  open(a, torrent);
  a.node->share(torrent, true, now());
  pump(a);
}

void World::download(HostId host, core::TorrentId torrent) {
  Actor& a = actor(host);
  TRIBUTARY_CHECK(!a.download);
  open(a, torrent);
  a.download = torrent;
  a.node->share(torrent, true, now());
  a.node->handle(core::SetBackground{torrent, true}, now());
  pump(a);
}

void World::listen(HostId host, std::vector<core::TorrentId> playlist, Duration position) {
  Actor& a = actor(host);
  TRIBUTARY_CHECK(!a.listener);
  a.listener.emplace(a.store, std::move(playlist));
  arrange_cache(a);
  a.listener->start(now(), position);
  pump(a);
}

void World::listen_at(TimePoint when, HostId host, std::vector<core::TorrentId> playlist) {
  actor(host).expected = true;
  at(when, [host, list = std::move(playlist)](World& w) {
    if (w.online(host)) w.listen(host, list);
  });
}

void World::follow_at(TimePoint when, HostId host, core::TorrentId torrent) {
  actor(host).expected = true;
  at(when, [host, torrent](World& w) {
    if (!w.online(host)) return;
    const core::Metainfo& meta = w.track(torrent).metainfo();
    Actor& a = w.actor(host);
    a.node->fetch(torrent, {meta.info.info_hashes(), meta.info.has_v2(), meta.trackers}, w.now());
    w.pump(a);
  });
}

void World::changed(HostId host) { pump(actor(host)); }

void World::read(HostId host, const player::Reading& reading) {
  Actor& a = actor(host);
  open(a, reading.track.torrent);
  hear(a, player::PlayerInput(reading));
  pump(a);
}

void World::stop_reading(HostId host, core::ReaderId reader) {
  Actor& a = actor(host);
  hear(a, player::PlayerInput(player::ReadingEnded{reader}));
  pump(a);
}

const Listener* World::find_listener(HostId host) const {
  const Actor& a = actor(host);
  return a.listener ? &*a.listener : nullptr;
}

void World::leave(HostId host, bool clean) {
  Actor& a = actor(host);
  if (!a.online) return;
  if (a.listener && !a.listener->done()) a.listener->stop(now());
  if (clean) {
    for (core::TorrentId torrent : std::vector(a.opened)) close(a, torrent);
    pump(a);
  }
  a.online = false;
  peers_.leave(host, clean);
  cdn_.leave(host);
  dht_.leave(host);
  checkers_.left(host);
  queue_.cancel(a.timer);
  queue_.cancel(a.wake);
  if (a.params.forgotten) forget(a);
}

void World::at(TimePoint when, std::function<void(World&)> script) {
  scripts_.push_back(std::move(script));
  queue_.schedule(when, {Owner::kScript, 0, HostId(0), scripts_.size() - 1});
}

void World::run_until(TimePoint end) {
  while (queue_.next_time() <= end) step();
  queue_.advance(end);
}

bool World::run_until_done(TimePoint limit) {
  // Asking everyone after each event would cost more than the events.
  while (queue_.next_time() <= limit) {
    const TimePoint pause = std::min(limit, queue_.next_time() + 1s);
    while (queue_.next_time() <= pause) step();
    if (everyone_done()) return true;
  }
  return everyone_done();
}

bool World::everyone_done() const {
  return std::all_of(actors_.begin(), actors_.end(), [](const std::unique_ptr<Actor>& a) {
    if (!a || !a->online) return true;
    if (a->download) return a->completed.has_value();
    return a->listener ? a->listener->done() : !a->expected;
  });
}

void World::step() {
  ++events_;
  dispatch(*queue_.pop());
}

void World::dispatch(const Event& event) {
  switch (event.owner) {
    case Owner::kLinks: {
      const Links::Finished finished = links_.finish(event);
      if (!cdn_.on_finished(finished)) peers_.on_finished(finished);
      return;
    }
    case Owner::kPeerNet:
      return peers_.on_event(event);
    case Owner::kCdn:
      return cdn_.on_event(event);
    case Owner::kTracker:
      return tracker_.on_event(event);
    case Owner::kDht:
      return dht_.on_event(event);
    case Owner::kNode:
      return tick(actor(event.host));
    case Owner::kListener: {
      Actor& a = actor(event.host);
      a.wake_at = kNever;
      a.listener->wake(now());
      return pump(a);
    }
    case Owner::kHasher: {
      const HashJob job = std::move(*hashing_.find(Id<HashJobTag, std::uint64_t>(event.id)));
      hashing_.erase(Id<HashJobTag, std::uint64_t>(event.id));
      return feed(actor(job.host), job.result);
    }
    case Owner::kScript:
      return std::exchange(scripts_[event.id], nullptr)(*this);
  }
}

void World::tick(Actor& a) {
  // A deadline that stays in the past would hold the clock for ever.
  constexpr std::int32_t kMostTicksAtOnce = 1000;
  a.ticks_now = a.last_tick == now() ? a.ticks_now + 1 : 0;
  TRIBUTARY_CHECK(a.ticks_now < kMostTicksAtOnce);
  a.last_tick = now();
  a.timer_at = kNever;
  a.node->tick(now());
  pump(a);
}

void World::feed(Actor& a, const core::Input& input) {
  if (!a.online) return;
  digest_.input(now(), a.id, input);
  if (params_.check) checkers_.input(now(), a.id, input);
  a.node->handle(input, now());
  pump(a);
  if (on_input) on_input(a.id, input);
  const auto* heard = std::get_if<core::PeerMessage>(&input);
  if (a.hider && heard != nullptr) show_pieces(a, *heard);
}

void World::feed(Actor& a, const cdn::HttpInput& input) {
  if (!a.online) return;
  digest_.input(now(), a.id, input);
  a.node->handle(input, now());
  pump(a);
}

void World::pump(Actor& a) {
  TRIBUTARY_CHECK(!a.pumping);
  if (!a.online) return;
  a.pumping = true;
  while (drain_node(a) || drain_listener(a)) {
  }
  a.pumping = false;
  if (params_.check) checkers_.settled(now(), a.id);
  set_timer(a.timer, a.timer_at, a.node->next_deadline(), {Owner::kNode, 0, a.id, 0});
  if (!a.listener) return;
  set_timer(a.wake, a.wake_at, a.listener->next_wake(), {Owner::kListener, 0, a.id, 0});
}

bool World::drain_node(Actor& a) {
  bool any = false;
  while (auto action = a.node->poll()) {
    any = true;
    digest_.action(now(), a.id, *action);
    if (const auto* core_action = std::get_if<core::Action>(&*action)) {
      if (params_.check) checkers_.action(now(), a.id, *core_action);
    }
    perform(a, *std::move(action));
  }
  return any;
}

bool World::drain_listener(Actor& a) {
  if (!a.listener) return false;
  bool any = false;
  while (const auto output = a.listener->poll()) {
    any = true;
    arrange_cache(a);
    std::visit([&](const auto& said) { hear(a, said); }, *output);
  }
  return any;
}

void World::hear(Actor& a, const player::PlayerInput& input) {
  digest_.input(now(), a.id, input);
  a.node->handle(input, now());
}

void World::hear(Actor& a, const core::Input& input) {
  digest_.input(now(), a.id, input);
  a.node->handle(input, now());
}

void World::set_timer(EventId& event, TimePoint& planned, TimePoint at, const Event& what) {
  if (at == planned) return;
  planned = at;
  if (at == kNever) {
    queue_.cancel(event);
  } else if (!queue_.move(event, at)) {
    event = queue_.schedule(at, what);
  }
}

std::optional<PeerNetHandler::Welcome> World::welcome(HostId host, const core::Handshake& theirs) {
  const auto answer = actor(host).node->welcome(theirs);
  if (!answer) return std::nullopt;
  return Welcome{answer->torrent, answer->handshake};
}

void World::peer_input(HostId host, core::Input input) {
  Actor& a = actor(host);
  if (const auto* sent = std::get_if<core::BlockSent>(&input)) {
    a.meter.to_peers += sent->span.length;
  } else if (std::holds_alternative<core::PeerConnected>(input)) {
    ++a.meter.connected;
  }
  feed(a, input);
}

void World::payload_arrived(HostId host, core::ConnId conn, const Payload& payload) {
  Actor& a = actor(host);
  a.meter.from_peers += payload.span.length;
  note_received(payload.torrent, Origin::kPeers, payload.span.length);
  if (a.params.operators != nullptr) {
    const std::string_view ours = a.params.operators->find(address(host));
    const bool same = !ours.empty() && a.params.operators->find(address(payload.from)) == ours;
    if (same) a.meter.from_operator += payload.span.length;
  }
  if (payload.corrupt) note_lie(a, conn, payload);
  const core::Layout& layout = track(payload.torrent).layout();
  const core::BlockIndex block = layout.block_at(payload.span.piece, payload.span.begin);
  const core::BufferId buffer = make_buffer(
      a, {payload.torrent, block, payload.span.length, Origin::kPeers, payload.corrupt});
  feed(a, core::PeerMessage{payload.torrent, conn, core::Piece{payload.span, buffer}});
}

void World::http_input(HostId client, const cdn::HttpInput& input) { feed(actor(client), input); }

void World::http_block(HostId client, cdn::HttpId request, core::TorrentId torrent,
                       core::BlockIndex block, Bytes length, bool corrupt) {
  Actor& a = actor(client);
  a.meter.from_cdn += length;
  note_received(torrent, Origin::kCdn, length);
  const core::BufferId buffer = make_buffer(a, {torrent, block, length, Origin::kCdn, corrupt});
  feed(a, cdn::HttpInput(cdn::HttpBlock{request, block, buffer}));
}

void World::tracker_input(HostId host, const core::Input& input) { feed(actor(host), input); }

void World::dht_found(HostId host, core::TorrentId torrent, const std::vector<Endpoint>& peers) {
  feed(actor(host), core::PeersFound{torrent, core::PeerSource::kDht, peers});
}

std::vector<HostId> World::nodes() const {
  std::vector<HostId> ids;
  for (const auto& a : actors_) {
    if (a) ids.push_back(a->id);
  }
  return ids;
}

Bytes World::in_hand(HostId host) const {
  Bytes sum;
  actor(host).buffers.for_each(
      [&](Id<BufferTag, std::uint64_t>, const Buffer& buffer) { sum += buffer.size; });
  return sum;
}

}  // namespace tributary::sim
