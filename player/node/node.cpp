#include "player/node/node.h"

#include <map>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/fifo.h"
#include "engine/core/smart_ban.h"
#include "engine/wire/url.h"
#include "player/node/node_overlay.h"
#include "player/node/swarm_set.h"

namespace tributary::player {
namespace {

cdn::EdgeSet edge_set(const std::vector<std::string>& edges, const core::TorrentInfo& info) {
  cdn::EdgeSet set;
  for (const std::string& edge : edges) {
    std::vector<std::string> urls;
    for (const core::FileEntry& file : info.files) {
      urls.push_back(file.pad ? std::string() : wire::web_seed_url(edge, info, file));
    }
    set.edges.push_back(std::move(urls));
  }
  return set;
}

cdn::PoolParams pool_params(const NodeParams& params) {
  cdn::PoolParams pool;
  pool.cmcd = !params.session.empty();
  pool.session = params.session;
  return pool;
}

prefetch::PrefetchParams prefetch_params(const core::Policy& policy) {
  return {.find_peers_at = policy.prefetch_peers_at,
          .server_at = policy.prefetch_server_at,
          .head = policy.prefetch_head,
          .budget = policy.prefetch_budget,
          .early = policy.prefetch_early,
          .head_only = policy.prefetch_head_only};
}

}  // namespace

struct Node::Impl {
  explicit Impl(NodeParams p)
      : params(std::move(p)),
        random(params.seed),
        pool(pool_params(params), random.next()),
        overlay(swarms, params.seed) {}

  NodeParams params;
  Random random;
  core::BanList bans;
  cdn::EdgePool pool;
  TimePoint pool_deadline = kNever;
  bool pool_called = false;  // since it named that
  SwarmSet swarms;
  std::map<core::TorrentId, std::unique_ptr<core::MetadataFetch>> fetches;
  NodeOverlay overlay;
  Fifo<NodeAction> out;
  TimePoint now{};

  // Playback.
  std::optional<Playback> playing;
  TimePoint playing_since{};  // when `playing` was true
  std::optional<TrackRef> next;
  bool prefetch_stale = false;  // the listener or the pool has acted since it was planned
  // What it followed from, beside that and the time.
  struct PrefetchGrounds {
    std::int32_t playing_blocks = 0;  // that we have
    std::int32_t next_blocks = 0;
    bool emergency = false;
    friend bool operator==(const PrefetchGrounds&, const PrefetchGrounds&) = default;
  };
  PrefetchGrounds prefetch_grounds;
  prefetch::PrefetchPlan plan;
  std::optional<TrackRef> prefetching;  // the track that `plan` was applied to
  TimePoint prefetch_due{};             // when it is heard, as the swarm was told
  bool prefetch_moving = false;

  core::MetadataFetch* find_fetch(core::TorrentId id) {
    const auto it = fetches.find(id);
    return it == fetches.end() ? nullptr : it->second.get();
  }
  void feed(core::TorrentId id, const core::Input& input) {
    if (core::Swarm* swarm = swarms.change(id)) swarm->handle(input, now);
    prefetch_stale = true;
  }

  cdn::EdgePool& call_pool() {
    pool_called = true;
    return pool;
  }

  std::map<core::ReaderId, TrackRef> readers;

  void on(const Playback& playback);
  void on(const PlaybackEnded&);
  void on(const NextTrack& following);
  void on(const Reading& reading);
  void on(const ReadingEnded& ended);

  void settle();
  bool prefetch_may_change();
  PrefetchGrounds grounds_of_prefetch() const;
  bool drain_swarms();
  bool drain_pool();
  void drain_fetches();
  void route(core::Action action);

  void tell_media_rate(const TrackRef& track);
  void demand_playing(const Playback& playback);
  void clear_demand(const TrackRef& track) {
    feed(track.torrent, core::ClearDemand{track.torrent, track.file});
  }
  Duration time_left() const;
  void plan_prefetch();
  void apply(const prefetch::PrefetchPlan& wanted, Duration left);
  std::optional<TrackRef> sought_of_peers() const;
};

// Swarms and pool answer each other until nothing is left to say.
void Node::Impl::settle() {
  if (prefetch_may_change()) plan_prefetch();
  overlay.settle(sought_of_peers(), now);
  while (drain_swarms() || drain_pool()) {
  }
  drain_fetches();
}

// Of what it looks at, only the two tracks' swarms and the time change by themselves. Without a CDN
// it looks at the buffer as well, which shrinks at any time.
bool Node::Impl::prefetch_may_change() {
  if (std::exchange(prefetch_stale, false) || now >= plan.next_change) return true;
  const bool changed = (playing && swarms.changed(playing->track.torrent)) ||
                       (next && swarms.changed(next->torrent));
  return changed && (!params.policy.use_cdn || grounds_of_prefetch() != prefetch_grounds);
}

Node::Impl::PrefetchGrounds Node::Impl::grounds_of_prefetch() const {
  PrefetchGrounds grounds;
  if (const core::Swarm* swarm = playing ? swarms.find(playing->track.torrent) : nullptr) {
    grounds.playing_blocks = swarm->have_blocks().count();
    grounds.emergency = swarm->emergency();
  }
  if (const core::Swarm* swarm = next ? swarms.find(next->torrent) : nullptr) {
    grounds.next_blocks = swarm->have_blocks().count();
  }
  return grounds;
}

void Node::Impl::drain_fetches() {
  std::vector<core::TorrentId> over;
  for (auto& [id, fetch] : fetches) {
    while (auto action = fetch->poll()) {
      if (std::holds_alternative<core::MetadataFetched>(*action)) over.push_back(id);
      out.emplace_back(*std::move(action));
    }
  }
  for (core::TorrentId id : over) fetches.erase(id);
}

bool Node::Impl::drain_swarms() {
  bool any = false;
  while (auto action = swarms.poll()) {
    any = true;
    route(*std::move(action));
  }
  return any;
}

void Node::Impl::route(core::Action action) {
  if (const auto* fetch = std::get_if<core::CdnFetch>(&action)) {
    call_pool().handle(*fetch, now);
  } else if (const auto* cancel = std::get_if<core::CdnCancel>(&action)) {
    call_pool().handle(*cancel, now);
  } else if (const auto* corrupt = std::get_if<core::CdnCorrupt>(&action)) {
    call_pool().handle(*corrupt, now);
  } else {
    out.emplace_back(std::move(action));
  }
}

bool Node::Impl::drain_pool() {
  bool any = false;
  if (pool_called) pool_deadline = pool.next_deadline();
  pool_called = false;
  while (auto action = pool.poll()) {
    any = true;
    if (auto* get = std::get_if<cdn::HttpGet>(&*action)) {
      out.emplace_back(cdn::HttpAction(std::move(*get)));
    } else if (const auto* cancel = std::get_if<cdn::HttpCancel>(&*action)) {
      out.emplace_back(cdn::HttpAction(*cancel));
    } else if (const auto* block = std::get_if<core::CdnBlock>(&*action)) {
      if (swarms.find(block->torrent)) {
        feed(block->torrent, *block);
      } else {
        out.emplace_back(core::Action(core::Free{block->buffer}));
      }
    } else if (const auto* ended = std::get_if<core::CdnEnded>(&*action)) {
      feed(ended->torrent, *ended);
    } else if (const auto* health = std::get_if<core::CdnHealth>(&*action)) {
      feed(health->torrent, *health);
    } else {
      out.emplace_back(core::Action(std::get<core::Free>(*action)));
    }
  }
  return any;
}

void Node::Impl::demand_playing(const Playback& playback) {
  feed(playback.track.torrent, core::SetDemand{.torrent = playback.track.torrent,
                                               .file = playback.track.file,
                                               .position = playback.position,
                                               .at = now,
                                               .moving = playback.moving,
                                               .starting = playback.starting});
}

Duration Node::Impl::time_left() const {
  const core::Swarm* swarm = swarms.find(playing->track.torrent);
  if (swarm == nullptr) return {};
  const Duration heard = playing->moving ? now - playing_since : Duration::zero();
  return std::max(swarm->timeline(playing->track.file).duration() - playing->position - heard,
                  Duration::zero());
}

void Node::Impl::plan_prefetch() {
  prefetch_grounds = grounds_of_prefetch();
  // A track that is to be heard twice in a row needs no fetching twice.
  if (!playing || !next || next == playing->track || !swarms.find(next->torrent) ||
      !swarms.find(playing->track.torrent)) {
    return apply({}, {});
  }
  const core::Swarm& current = *swarms.find(playing->track.torrent);
  const core::Swarm& following = *swarms.find(next->torrent);
  const auto rules = prefetch_params(params.policy);
  const Bytes head = prefetch::head_bytes(rules, following.timeline(next->file));
  prefetch::PrefetchSnapshot snapshot;
  snapshot.now = now;
  snapshot.left = time_left();
  snapshot.paused = !playing->moving;
  snapshot.current_complete = current.file_complete(playing->track.file);
  // The CDN insures what is left of the current track, unless it has already failed to.
  snapshot.current_safe =
      snapshot.current_complete ||
      (playing->moving && !current.emergency() &&
       (params.policy.use_cdn || current.buffered(playing->track.file, now) >= 10s));
  snapshot.next_known = true;
  snapshot.head_size = head;
  snapshot.head_missing = following.missing(next->file, {0_B, head});
  apply(prefetch::plan_prefetch(rules, snapshot), snapshot.left);
}

// The next track is due when the current one ends.
void Node::Impl::apply(const prefetch::PrefetchPlan& wanted, Duration left) {
  const bool idle = wanted.stage == prefetch::PrefetchStage::kIdle;
  if (prefetching && (idle || prefetching != next)) {
    if (!playing || playing->track != *prefetching) clear_demand(*prefetching);
    prefetching.reset();
  }
  // A pause or a seek moves the end of the current track; small corrections of its clock do not.
  const bool moving = playing && playing->moving;
  const bool on_time =
      moving == prefetch_moving && (!moving || std::chrono::abs(now + left - prefetch_due) <= 1s);
  const bool same =
      prefetching == next && plan.stage == wanted.stage && plan.budget == wanted.budget && on_time;
  plan = wanted;
  if (idle || same) return;
  prefetching = next;
  prefetch_due = now + left;
  prefetch_moving = moving;
  feed(next->torrent,
       core::SetDemand{.torrent = next->torrent,
                       .file = next->file,
                       .at = prefetch_due,
                       .moving = moving,
                       .prefetch = true,
                       .cdn_allowed = wanted.stage == prefetch::PrefetchStage::kServer,
                       .budget = wanted.budget});
}

// While it is prefetched, the peers of others are asked who has the next track. Its own torrent's
// have it all anyway.
std::optional<TrackRef> Node::Impl::sought_of_peers() const {
  const bool other = playing && prefetching && prefetching->torrent != playing->track.torrent;
  return other ? prefetching : std::nullopt;
}

void Node::Impl::on(const Playback& playback) {
  prefetch_stale = true;
  const auto former = std::exchange(playing, playback);
  playing_since = now;
  if (prefetching == playback.track) prefetching.reset();
  if (next == playback.track) next.reset();
  if (former && former->track != playback.track) clear_demand(former->track);
  const bool stalled = !playback.moving && !playback.starting && !playback.paused;
  if (stalled) call_pool().note_stall(playback.track.torrent);
  tell_media_rate(playback.track);
  demand_playing(playback);
}

void Node::Impl::on(const NextTrack& following) {
  prefetch_stale = true;
  next = following.track;
}

void Node::Impl::on(const PlaybackEnded&) {
  prefetch_stale = true;
  if (playing) clear_demand(playing->track);
  playing.reset();
  next.reset();
}

void Node::Impl::on(const Reading& reading) {
  const core::Swarm* swarm = swarms.find(reading.track.torrent);
  if (swarm == nullptr) return;
  readers.insert_or_assign(reading.reader, reading.track);
  if (reading.starting) tell_media_rate(reading.track);
  const auto file = static_cast<std::size_t>(reading.track.file.value());
  const ByteRange range = swarm->metainfo().info.files[file].range();
  const ByteRange unread{range.begin + reading.unread.begin, range.begin + reading.unread.end};
  feed(reading.track.torrent, core::SetReader{.torrent = reading.track.torrent,
                                              .file = reading.track.file,
                                              .reader = reading.reader,
                                              .unread = intersect(unread, range),
                                              .starting = reading.starting,
                                              .rate = reading.rate,
                                              .lead = reading.lead});
}

void Node::Impl::on(const ReadingEnded& ended) {
  const auto reader = readers.extract(ended.reader);
  if (reader.empty()) return;
  const TrackRef track = reader.mapped();
  feed(track.torrent, core::ClearDemand{track.torrent, track.file, ended.reader});
}

void Node::Impl::tell_media_rate(const TrackRef& track) {
  const core::Swarm* swarm = swarms.find(track.torrent);
  if (!swarm) return;
  call_pool().set_media_rate(track.torrent, swarm->timeline(track.file).bit_rate());
}

Node::Node(NodeParams params) : impl_(std::make_unique<Impl>(std::move(params))) {}
Node::~Node() = default;

void Node::open(core::TorrentId torrent, const core::Metainfo& metainfo, const Bitfield& verified,
                TimePoint now) {
  impl_->now = now;
  core::SwarmParams params{.id = torrent,
                           .policy = impl_->params.policy,
                           .peer_id = impl_->params.peer_id,
                           .listen_port = impl_->params.listen_port,
                           .loopback_only = impl_->params.loopback_only,
                           .dht = impl_->params.dht,
                           .dht_port = impl_->params.dht_port,
                           .local = impl_->params.local,
                           .overlay = impl_->params.overlay,
                           .client_name = impl_->params.client_name,
                           .seed = impl_->random.next(),
                           .trace = impl_->params.trace,
                           .upload = impl_->params.upload,
                           .super_seed = impl_->params.super_seed,
                           .hole_punching = impl_->params.hole_punching,
                           .book = impl_->params.book,
                           .unchoke = impl_->params.unchoke,
                           .rank_addresses = impl_->params.rank_addresses,
                           .operators = impl_->params.operators,
                           .own_address = impl_->params.own_address};
  TRIBUTARY_CHECK(impl_->swarms.add(
      torrent, std::make_unique<core::Swarm>(metainfo, params, verified, impl_->bans, now)));
  impl_->call_pool().add_torrent(torrent, metainfo.info, edge_set(metainfo.edges, metainfo.info),
                                 now);
  impl_->settle();
}

void Node::fetch(core::TorrentId torrent, core::FetchTarget target, TimePoint now) {
  impl_->now = now;
  core::FetchParams params{.id = torrent,
                           .peer_id = impl_->params.peer_id,
                           .listen_port = impl_->params.listen_port,
                           .loopback_only = impl_->params.loopback_only,
                           .dht = impl_->params.dht,
                           .client_name = impl_->params.client_name,
                           .seed = impl_->random.next()};
  const auto [it, is_new] =
      impl_->fetches.emplace(torrent, std::make_unique<core::MetadataFetch>(
                                          std::move(target), std::move(params), impl_->bans, now));
  TRIBUTARY_CHECK(is_new && !impl_->swarms.find(torrent));
  it->second->tick(now);
  impl_->settle();
}

std::optional<core::FetchProgress> Node::progress(core::TorrentId torrent) const {
  const core::MetadataFetch* fetch = impl_->find_fetch(torrent);
  return fetch ? std::optional(fetch->progress()) : std::nullopt;
}

void Node::close(core::TorrentId torrent, TimePoint now) {
  impl_->now = now;
  if (core::MetadataFetch* fetch = impl_->find_fetch(torrent)) {
    fetch->close(now);
    impl_->settle();
    impl_->fetches.erase(torrent);
    return;
  }
  core::Swarm* swarm = impl_->swarms.change(torrent);
  if (!swarm) return;
  impl_->prefetch_stale = true;
  if (impl_->playing && impl_->playing->track.torrent == torrent) impl_->playing.reset();
  if (impl_->next && impl_->next->torrent == torrent) impl_->next.reset();
  std::erase_if(impl_->readers, [&](const auto& r) { return r.second.torrent == torrent; });
  if (impl_->prefetching && impl_->prefetching->torrent == torrent) impl_->prefetching.reset();
  swarm->close(now);
  impl_->settle();
  impl_->call_pool().remove_torrent(torrent, now);
  impl_->swarms.remove(torrent);
  impl_->settle();
}

void Node::share(core::TorrentId torrent, bool enabled, TimePoint now) {
  impl_->now = now;
  if (core::Swarm* swarm = impl_->swarms.change(torrent)) swarm->share(enabled, now);
  impl_->settle();
}

void Node::set_conduct(const core::Policy& policy, bool upload, TimePoint now) {
  impl_->now = now;
  impl_->params.policy = policy;
  impl_->params.upload = upload;
  impl_->prefetch_stale = true;
  for (const SwarmSet::Entry& entry : impl_->swarms) {
    impl_->swarms.change(entry.id)->set_conduct(policy, upload, now);
  }
  impl_->settle();
}

void Node::set_edges(core::TorrentId torrent, const std::vector<std::string>& edges,
                     TimePoint now) {
  impl_->now = now;
  const core::Swarm* swarm = impl_->swarms.find(torrent);
  if (!swarm) return;
  impl_->call_pool().set_edges(torrent, edge_set(edges, swarm->metainfo().info), now);
  impl_->settle();
}

void Node::set_listen_port(std::uint16_t port) {
  impl_->params.listen_port = port;
  for (const SwarmSet::Entry& entry : impl_->swarms) entry.swarm->set_listen_port(port);
}

void Node::add_peer(core::TorrentId torrent, const Endpoint& peer, TimePoint now) {
  impl_->now = now;
  if (core::Swarm* swarm = impl_->swarms.change(torrent)) swarm->add_peer(peer, now);
  if (core::MetadataFetch* fetch = impl_->find_fetch(torrent)) fetch->add_peer(peer, now);
  impl_->settle();
}

void Node::handle(const core::Input& input, TimePoint now) {
  impl_->now = now;
  if (impl_->overlay.handle(input, now)) return impl_->settle();
  std::visit(
      [&](const auto& event) {
        using Event = std::decay_t<decltype(event)>;
        // These change what is there, or when it is due, without a trace in numbers.
        if constexpr (std::is_same_v<Event, core::SetTimeline> ||
                      std::is_same_v<Event, core::BlocksLost>) {
          impl_->prefetch_stale = true;
        }
        core::Swarm* swarm = impl_->swarms.change(event.torrent);
        if (swarm) return swarm->handle(input, now);
        if (auto* fetch = impl_->find_fetch(event.torrent)) return fetch->handle(input, now);
        if constexpr (std::is_same_v<Event, core::PeerMessage>) {
          const auto* piece = std::get_if<core::Piece>(&event.message);
          if (piece) impl_->out.emplace_back(core::Action(core::Free{piece->buffer}));
        }
      },
      input);
  impl_->settle();
}

void Node::handle(const cdn::HttpInput& input, TimePoint now) {
  impl_->now = now;
  impl_->call_pool().handle(input, now);
  impl_->settle();
}

void Node::handle(const PlayerInput& input, TimePoint now) {
  impl_->now = now;
  std::visit([this](const auto& event) { impl_->on(event); }, input);
  impl_->settle();
}

void Node::tick(TimePoint now) {
  impl_->now = now;
  impl_->swarms.tick(now);
  for (auto& [id, fetch] : impl_->fetches) {
    if (fetch->next_deadline() <= now) fetch->tick(now);
  }
  if (impl_->pool_deadline <= now) impl_->call_pool().handle_timeout(now);
  impl_->settle();
}

std::optional<NodeAction> Node::poll() {
  if (impl_->out.empty()) return std::nullopt;
  return impl_->out.take_front();
}

TimePoint Node::next_deadline() const {
  TimePoint next = std::min({impl_->pool_deadline, impl_->swarms.next_deadline(),
                             impl_->plan.next_change, impl_->overlay.next_deadline()});
  for (const auto& [id, fetch] : impl_->fetches) next = std::min(next, fetch->next_deadline());
  return next;
}

std::optional<Node::Welcome> Node::welcome(const core::Handshake& remote) const {
  for (const SwarmSet::Entry& entry : impl_->swarms) {
    const core::Swarm& swarm = *entry.swarm;
    if (swarm.answers_to(remote.info_hash)) return Welcome{entry.id, swarm.answer(remote)};
  }
  for (const auto& [id, fetch] : impl_->fetches) {
    if (fetch->answers_to(remote.info_hash)) return Welcome{id, fetch->answer(remote.info_hash)};
  }
  return std::nullopt;
}

std::vector<InfoHash> Node::info_hashes() const {
  std::vector<InfoHash> all;
  const auto add = [&all](const std::vector<InfoHash>& hashes) {
    all.insert(all.end(), hashes.begin(), hashes.end());
  };
  for (const SwarmSet::Entry& entry : impl_->swarms) add(entry.swarm->served());
  for (const auto& [id, fetch] : impl_->fetches) add(fetch->served());
  return all;
}

const core::Swarm* Node::swarm(core::TorrentId torrent) const {
  return impl_->swarms.find(torrent);
}

const cdn::EdgePool& Node::edges() const { return impl_->pool; }

const core::Overlay& Node::overlay() const { return impl_->overlay.overlay(); }

Duration Node::buffered(TimePoint now) const {
  if (!impl_->playing) return {};
  const core::Swarm* swarm = impl_->swarms.find(impl_->playing->track.torrent);
  return swarm ? swarm->buffered(impl_->playing->track.file, now) : Duration::zero();
}

prefetch::PrefetchStage Node::prefetch_stage() const { return impl_->plan.stage; }

}  // namespace tributary::player
