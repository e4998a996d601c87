#include "demo/loadtest/live_node.h"

#include <algorithm>
#include <utility>

#include "engine/core/swarm.h"

namespace tributary::demo {

LiveNode::LiveNode(net::Loop& loop, const LiveTracks& tracks, LiveNodeOptions options)
    : loop_(loop), tracks_(tracks), options_(std::move(options)), look_(loop), wake_(loop) {}

Result<std::unique_ptr<LiveNode>> LiveNode::create(net::Loop& loop, const LiveTracks& tracks,
                                                   LiveNodeOptions options) {
  std::unique_ptr<LiveNode> node(new LiveNode(loop, tracks, std::move(options)));
  if (auto started = node->start(); !started) return started.error();
  return node;
}

Result<void> LiveNode::start() {
  player::HostEvents events;
  events.may_start = [this](player::TrackRef track) {
    if (!listener_ || stopped_) return;
    listener_->may_start(loop_.now(), track.torrent);
    drain();
  };
  events.happening = [this](const player::Happening& happening, TimePoint) { happened(happening); };
  TRIBUTARY_TRY(host, player::Host::create(loop_, options_.host, std::move(events)));
  host_ = std::move(host);
  for (std::int32_t track : options_.cached) give(track);
  return {};
}

void LiveNode::give(std::int32_t track) {
  shelves_[track].opening = true;
  host_->open(tracks_.at(track).metainfo, [this, track](const player::OpenTorrent& torrent) {
    host_->add_source(
        torrent.id, options_.content, [](std::int32_t, std::int32_t) {},
        [this, track, torrent](const Bitfield&) {
          opened(track, torrent);
          use(track);
          offer_surplus();
        });
  });
}

void LiveNode::open(std::int32_t track) {
  if (std::exchange(shelves_[track].opening, true)) return;
  host_->open(tracks_.at(track).metainfo,
              [this, track](const player::OpenTorrent& torrent) { opened(track, torrent); });
}

// What is there by now was there before.
void LiveNode::opened(std::int32_t track, const player::OpenTorrent& torrent) {
  shelves_[track].torrent = torrent.id;
  store_.add(torrent.id, *tracks_.at(track).track, false);
  for (core::BlockIndex b(0); b < core::BlockIndex(torrent.layout->block_count()); ++b) {
    if (torrent.feed->ready(b)) store_.put(torrent.id, b, sim::Origin::kCache, false);
  }
  meet_wishes();
}

void LiveNode::wish(sim::LoadEvent::Action action, std::int32_t track) {
  wishes_.push_back({action, track, loop_.now()});
  meet_wishes();
}

void LiveNode::meet_wishes() {
  while (!wishes_.empty() && !stopped_) {
    const Wish wish = wishes_.front();
    if (wish.track >= 0 && !shelves_[wish.track].torrent) return open(wish.track);
    wishes_.pop_front();
    meet(wish);
    drain();
  }
}

void LiveNode::meet(const Wish& wish) {
  const TimePoint now = loop_.now();
  if (wish.action == sim::LoadEvent::Action::kSkip) {
    if (listener_) listener_->skip(now);
    return;
  }
  const core::TorrentId torrent = *shelves_[wish.track].torrent;
  use(wish.track);
  const bool first = !listener_.has_value();
  if (first) listener_.emplace(store_, std::vector{torrent});
  if (!first && wish.action == sim::LoadEvent::Action::kNext)
    return listener_->enqueue(now, torrent);
  if (const auto current = listener_->current(); current && !first) store_.settle(*current);
  listener_->play(now, torrent, wish.at);
}

void LiveNode::use(std::int32_t track) {
  std::erase(used_, track);
  used_.push_back(track);
}

// Of the tracks that it does not play, those that were heard last are offered; as the simulator's.
void LiveNode::offer_surplus() {
  std::int32_t left = options_.shares;
  for (auto track = used_.rbegin(); track != used_.rend(); ++track) {
    const core::TorrentId torrent = *shelves_[*track].torrent;
    const bool plays =
        listener_ && (listener_->current() == torrent || listener_->next() == torrent);
    if (!plays) host_->share(torrent, left-- > 0);
  }
}

void LiveNode::drain() {
  if (!listener_) return;
  while (const auto output = listener_->poll()) {
    if (const auto* input = std::get_if<player::PlayerInput>(&*output)) {
      host_->feed(*input);
    } else if (const auto* waits = std::get_if<core::ReaderWaits>(&*output)) {
      host_->feed(core::Input(*waits));
    } else {
      host_->feed(core::Input(*std::get_if<core::SetTimeline>(&*output)));
    }
  }
  const std::size_t plays = listener_->plays().size();
  if (std::exchange(plays_seen_, plays) != plays) {
    if (plays > 1) store_.settle(listener_->plays()[plays - 2].torrent);
    offer_surplus();
  }
  wake_.start(listener_->next_wake(), [this] {
    listener_->wake(loop_.now());
    drain();
  });
}

// Called from within the host, which is told what follows on a later turn.
void LiveNode::happened(const player::Happening& happening) {
  const auto change = meter_.count(happening);
  if (!change || stopped_ || !store_.has(change->torrent)) return;
  if (change->origin) {
    store_.put(change->torrent, change->blocks.begin, *change->origin, false);
  } else {
    store_.lose(change->torrent, change->blocks);
  }
  const bool waits = !changed_.empty();
  changed_.insert(change->torrent);
  if (!waits) look_.start(loop_.now(), [this] { look(); });
}

void LiveNode::look() {
  for (core::TorrentId torrent : std::exchange(changed_, {})) {
    if (listener_) listener_->stored(loop_.now(), torrent);
  }
  drain();
}

void LiveNode::stop() {
  if (std::exchange(stopped_, true)) return;
  wake_.stop();
  look_.stop();
  if (listener_) listener_->stop(loop_.now());
}

const std::vector<sim::Play>& LiveNode::plays() const {
  static const std::vector<sim::Play> kNone;
  return listener_ ? listener_->plays() : kNone;
}

core::ByteCounts LiveNode::ledger() const {
  core::ByteCounts sum;
  for (const auto& [track, shelf] : shelves_) {
    const core::Swarm* swarm = shelf.torrent ? host_->node().swarm(*shelf.torrent) : nullptr;
    if (swarm) sum += swarm->ledger().total();
  }
  return sum;
}

std::map<std::int32_t, sim::OriginBytes> LiveNode::received() const {
  std::map<std::int32_t, sim::OriginBytes> all;
  for (const auto& [track, shelf] : shelves_) {
    const core::Swarm* swarm = shelf.torrent ? host_->node().swarm(*shelf.torrent) : nullptr;
    if (!swarm) continue;
    const core::ByteCounts bytes = swarm->ledger().total();
    all[track][sim::Origin::kCdn] = bytes.cdn();
    all[track][sim::Origin::kPeers] = bytes.peers;
  }
  return all;
}

}  // namespace tributary::demo
