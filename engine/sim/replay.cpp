#include "engine/sim/replay.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/check.h"
#include "engine/sim/world.h"

namespace tributary::sim {
namespace {

constexpr BitRate kAssumedPeerRate = 2_Mbps;
constexpr Duration kAssumedFirstByte = 50ms;
constexpr BitRate kAssumedCdnRate = 20_Mbps;
constexpr Duration kStep = 50ms;      // between two looks at the playhead
constexpr Duration kLongest = 24h;    // a replay that never ends is ended
constexpr Duration kEndOfTrack = 1s;  // a seek comes no closer to it
constexpr const char* kEdge = "http://cdn.test";

TrackParams params_of(const RecordedTrack& track) {
  TrackParams params;
  params.name = track.title;
  params.duration = track.duration;
  params.piece_length = track.piece_length;
  params.v2 = track.v2;
  params.is_private = track.is_private;
  params.hints = track.hinted;
  params.size = track.size;
  params.points = track.points;
  if (params.points.empty()) params.points = {{track.duration, track.size}};
  if (!track.on_cdn) params.edges.clear();
  return params;
}

// The blocks of the file that lie within the torrent's pieces.
Bitfield blocks_of(const RecordedTrack& track, const core::Layout& layout,
                   const RecordedPeer::Offer& offer) {
  Bitfield blocks(layout.block_count(), offer.all);
  for (std::int32_t p : offer.pieces) {
    const Bytes begin = track.piece_length * p - track.offset;
    const Bytes end = std::min(begin + track.piece_length, track.size);
    if (end <= 0_B || begin >= track.size) continue;
    const core::BlockRange range = layout.blocks_covering({std::max(begin, 0_B), end});
    for (core::BlockIndex b = range.begin; b < range.end; ++b) blocks.set(b.value());
  }
  return blocks;
}

std::optional<BitRate> median_rate(const Recording& recording) {
  std::vector<BitRate> rates;
  for (const RecordedPeer& peer : recording.peers) {
    for (const auto& [at, rate] : peer.rates) {
      if (rate > BitRate()) rates.push_back(rate);
    }
  }
  if (rates.empty()) return std::nullopt;
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

// Not movable: scripts refer to it.
class Replay {
 public:
  Replay(const Recording& recording, const core::Policy& policy)
      : recording_(recording), policy_(policy), world_(world_params()) {
    add_cdn();
    add_listener();
    for (const RecordedPeer& peer : recording.peers) add_peer(peer);
    for (const RecordedAction& action : recording.actions) {
      world_.at(action.at, [this, &action](World&) { act(action); });
    }
  }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  ReplayReport run() {
    const TimePoint limit = TimePoint(kLongest);
    while (!over() && world_.now() < limit) {
      world_.run_until(world_.now() + kStep);
      stop_at_end();
    }
    report_.finished = over();
    if (!stopped_) world_.leave(us_, true);
    report_.policy = policy_.name;
    report_.figures = figures();
    report_.digest = world_.digest().value();
    return report_;
  }

 private:
  static WorldParams world_params() {
    WorldParams params;
    params.check = false;
    return params;
  }

  void add_cdn() {
    EdgeParams edge;
    edge.origin = kEdge;
    edge.half_rtt = Duration::zero();  // the recorded time to the first byte has it
    edge.setup_round_trips = 0;
    edge.first_byte = kAssumedFirstByte;
    edge.first_byte_spread = Duration::zero();
    edge.per_connection = kAssumedCdnRate;
    edge_ = world_.add_edge(edge);
    for (const RecordedRequest& request : recording_.requests) {
      report_.cdn_known |= request.first_byte.has_value();
      // The first tells of the time before it as well.
      const bool first = &request == &recording_.requests.front();
      world_.at(first ? TimePoint() : request.at, [this, &request](World&) { set_cdn(request); });
    }
  }
  void set_cdn(const RecordedRequest& request) {
    CdnModel& cdn = world_.cdn();
    cdn.set_fault(edge_, request.failed ? CdnFault::kUnavailable : CdnFault::kNone);
    if (request.first_byte) cdn.set_first_byte(edge_, *request.first_byte, Duration::zero());
    if (request.rate) cdn.set_per_connection(edge_, *request.rate);
  }

  void add_listener() {
    for (const RecordedTrack& track : recording_.tracks) {
      tracks_.push_back(world_.add_track(params_of(track)));
    }
    HostParams params;
    params.link = {recording_.up, recording_.down, Duration::zero(), 0};
    params.policy = policy_;
    params.upload = recording_.upload;
    us_ = world_.add_node(params);
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      if (recording_.tracks[i].cached) world_.give(us_, tracks_[i]);
    }
    world_.at(recording_.start, [this](World& w) { w.listen(us_, tracks_, recording_.from); });
  }

  void add_peer(const RecordedPeer& peer) {
    report_.peer_rates_known |= median_.has_value();
    HostParams params;
    params.policy = core::Policy::peers_only();
    params.accepts_inbound = !peer.inbound;
    params.link = {median_.value_or(kAssumedPeerRate), kUnlimited, Duration::zero(), 0};
    const HostId host = world_.add_node(params);
    world_.links().set_rtt(host, us_, peer.round_trip);
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      if (recording_.tracks[i].torrent == peer.torrent) add_offers(host, peer, i);
    }
    for (std::size_t i = 0; i < peer.rates.size(); ++i) {
      // The first measured rate was there before it was measured.
      const auto [at, rate] = peer.rates[i];
      world_.at(i == 0 ? TimePoint() : at,
                [host, rate = rate](World& w) { w.links().set_rates(host, rate, kUnlimited); });
    }
    if (peer.until != kNever) world_.at(peer.until, [host](World& w) { w.leave(host, true); });
  }
  void add_offers(HostId host, const RecordedPeer& peer, std::size_t index) {
    const core::TorrentId torrent = tracks_[index];
    world_.at(peer.from, [host, torrent](World& w) {
      w.offer(host, torrent, Bitfield(w.track(torrent).layout().block_count()));
    });
    for (const RecordedPeer::Offer& offer : peer.offers) {
      world_.at(offer.at, [this, host, torrent, index, &offer](World& w) {
        w.offer(host, torrent,
                blocks_of(recording_.tracks[index], w.track(torrent).layout(), offer));
      });
    }
    world_.at(peer.from, [this, host, torrent, inbound = peer.inbound](World& w) {
      if (!w.online(us_)) return;
      w.introduce(inbound ? host : us_, torrent, inbound ? us_ : host);
    });
  }

  bool over() const {
    const Listener* listener = world_.find_listener(us_);
    return stopped_ || (listener != nullptr && listener->done());
  }
  void stop() {
    stopped_ = true;
    world_.leave(us_, true);
  }

  void act(const RecordedAction& action) {
    if (over() || world_.find_listener(us_) == nullptr) return;
    Listener& listener = world_.listener(us_);
    switch (action.kind) {
      case RecordedAction::Kind::kTogglePause:
        paused_ = !paused_;
        if (paused_) {
          listener.pause(world_.now());
        } else {
          listener.resume(world_.now());
        }
        break;
      case RecordedAction::Kind::kSeek:
        listener.seek(world_.now(), seek_target(listener, action.by));
        break;
      case RecordedAction::Kind::kNext:
        if (listener.next()) listener.skip(world_.now());
        break;
      case RecordedAction::Kind::kPrevious:
        return go_back(listener);
      case RecordedAction::Kind::kStop:
        return stop();
    }
    world_.changed(us_);
  }
  Duration seek_target(const Listener& listener, Duration by) const {
    const Duration most = std::max(duration_of(listener) - kEndOfTrack, Duration::zero());
    return std::clamp(listener.position(world_.now()) + by, Duration::zero(), most);
  }
  Duration duration_of(const Listener& listener) const {
    return recording_.tracks[index_of(listener)].duration;
  }
  std::size_t index_of(const Listener& listener) const {
    const auto found = std::find(tracks_.begin(), tracks_.end(), *listener.current());
    return static_cast<std::size_t>(found - tracks_.begin());
  }
  void go_back(const Listener& listener) {
    const std::size_t index = index_of(listener);
    const std::size_t before = index == 0 ? 0 : index - 1;
    world_.play(us_, tracks_[before]);
    for (std::size_t i = before + 1; i < tracks_.size(); ++i) world_.play_next(us_, tracks_[i]);
  }
  // Where each track was to end early.
  void stop_at_end() {
    if (!recording_.until || over() || world_.find_listener(us_) == nullptr) return;
    Listener& listener = world_.listener(us_);
    if (!listener.playing() || listener.position(world_.now()) < *recording_.until) return;
    if (!listener.next()) return stop();
    listener.skip(world_.now());
    world_.changed(us_);
  }

  SessionFigures figures() const {
    SessionFigures sum;
    sum.bytes = world_.ledger(us_);
    sum.bytes.cdn_requests = world_.cdn().total().requests;
    const Listener* listener = world_.find_listener(us_);
    if (listener == nullptr) return sum;
    for (const Play& play : listener->plays()) {
      sum.startup += play.startup.value_or(Duration::zero());
      sum.played += play.heard;
      sum.stalls += play.stalls;
      sum.stalled += play.stalled;
    }
    return sum;
  }

  const Recording& recording_;
  core::Policy policy_;
  World world_;
  ReplayReport report_;
  std::optional<BitRate> median_ = median_rate(recording_);
  HostId edge_;
  HostId us_;
  std::vector<core::TorrentId> tracks_;
  bool paused_ = false;
  bool stopped_ = false;
};

}  // namespace

ReplayReport replay(const Recording& recording, const core::Policy& policy) {
  TRIBUTARY_CHECK(!recording.tracks.empty());
  return Replay(recording, policy).run();
}

}  // namespace tributary::sim
