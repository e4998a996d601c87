#include "tests/scenario/cast/scenarios.h"

#include <cstdio>
#include <utility>

namespace tributary::sim {
namespace {

TimePoint at(Duration time) { return TimePoint(time); }

WorldParams world_params(const Variation& v) {
  WorldParams p;
  p.seed = v.seed;
  return p;
}

// Half round trips: 10 + 10 ms between clients, 10 + 40 ms to the edge.
EdgeParams edge_params() {
  EdgeParams p;
  p.half_rtt = 40ms;
  return p;
}

double seconds(TimePoint t) {
  return t == kNever ? 1e9 : static_cast<double>(t.time_since_epoch().count()) / 1e6;
}

const char* name_of(core::Decision::Choice choice) {
  switch (choice) {
    case core::Decision::Choice::kPeer:
      return "peer";
    case core::Decision::Choice::kCdn:
      return "cdn";
    case core::Decision::Choice::kCancel:
      return "cancel";
  }
  return "?";
}

// One line a decision: time, host, blocks, deadline, last safe moment, choice, why.
void print_decision(const World& world, HostId host, const core::Decision& d) {
  const Listener* listener = world.find_listener(host);
  const double position =
      listener == nullptr ? 0 : static_cast<double>(listener->position(world.now()).count()) / 1e6;
  std::printf(
      "%.3f host %d at %.3f%s blocks %d..%d due %.3f safe %.3f %s %llx %s: %.*s\n", seconds(d.at),
      host.value(), position, listener != nullptr && listener->playing() ? "" : " (waits)",
      d.blocks.begin.value(), d.blocks.end.value(), seconds(d.deadline), seconds(d.cdn_last_safe),
      name_of(d.choice), static_cast<unsigned long long>(d.peer.value()),
      d.choice == core::Decision::Choice::kCdn ? std::string(core::to_string(d.reason)).c_str()
                                               : "",
      static_cast<int>(d.why.size()), d.why.data());
}

}  // namespace

TrackParams music_track() {
  TrackParams p;
  p.name = "music";
  return p;
}

TrackParams video_track() {
  TrackParams p;
  p.name = "video";
  p.duration = 180s;
  p.rate = 2500_kbps;
  return p;
}

Stage::Stage(const Variation& variation)
    : world(world_params(variation)), edge(world.add_edge(edge_params())), variation_(variation) {
  world.on_decision = [this](HostId host, const core::Decision& d) {
    if (variation_.trace_host == 0 || host.value() == variation_.trace_host)
      print_decision(world, host, d);
  };
}

core::TorrentId Stage::add_track() {
  TrackParams p = variation_.video ? video_track() : music_track();
  p.name += std::to_string(tracks_++);
  if (variation_.duration > Duration::zero()) p.duration = variation_.duration;
  p.piece_length = variation_.piece_length;
  p.v2 = !variation_.v1;
  p.hints = !variation_.uneven;
  p.info_size = variation_.info_size;
  if (variation_.uneven) p.swing = 10s;
  return world.add_track(p);
}

HostParams Stage::client() const {
  HostParams p;
  p.policy = variation_.policy;
  p.trace = variation_.trace_host >= 0;
  return p;
}

HostId Stage::add_listener(TimePoint when, std::vector<core::TorrentId> playlist) {
  const HostId host = world.add_node(client());
  world.listen_at(when, host, std::move(playlist));
  return host;
}

HostId Stage::add_seed(core::TorrentId torrent, BitRate up) {
  HostParams p = client();
  p.policy = core::Policy::adaptive();
  p.link.up = up;
  const HostId host = world.add_node(p);
  world.seed(host, torrent);
  return host;
}

ScenarioReport one_listener(const Variation& v) {
  Stage stage(v);
  stage.add_listener(at(1s), {stage.add_track()});
  stage.world.run_until_done(at(400s));
  return make_report("one listener", stage.world);
}

ScenarioReport eight_seeds(const Variation& v) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  for (int i = 0; i < 8; ++i) stage.add_seed(track, 2_Mbps);
  stage.add_listener(at(5s), {track});
  stage.world.run_until_done(at(400s));
  return make_report("eight seeds", stage.world);
}

ScenarioReport eight_viewers(const Variation& v) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  for (int i = 0; i < 8; ++i) stage.add_listener(at(1s + i * 10s), {track});
  stage.world.run_until_done(at(500s));
  return make_report("eight viewers", stage.world);
}

ScenarioReport behind_nat(const Variation& v, const char* name, bool hole_punching) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  HostParams params = stage.client();
  params.hole_punching = hole_punching;
  for (int i = 0; i < 8; ++i) {
    params.accepts_inbound = i == 0 || i == 4;
    stage.world.listen_at(at(1s + i * 10s), stage.world.add_node(params), {track});
  }
  stage.world.run_until_done(at(500s));
  return make_report(name, stage.world);
}

ScenarioReport walled_viewers(const Variation& v) { return behind_nat(v, "walled viewers", true); }

ScenarioReport walled_apart(const Variation& v) { return behind_nat(v, "walled apart", false); }

// Thirty others are in the DHT, who do something else; two viewers are behind NAT.
ScenarioReport dht_viewers(const Variation& v) {
  Stage stage(v);
  stage.world.tracker().set_down(true);
  HostParams params = stage.client();
  params.dht = true;
  for (int i = 0; i < 30; ++i) stage.world.add_node(params);
  const core::TorrentId track = stage.add_track();
  for (int i = 0; i < 8; ++i) {
    params.accepts_inbound = i % 4 != 3;
    stage.world.listen_at(at(60s + i * 10s), stage.world.add_node(params), {track});
  }
  stage.world.run_until_done(at(600s));
  return make_report("viewers in the DHT", stage.world);
}

ScenarioReport magnet_viewers(const Variation& v) {
  Variation described = v;
  described.info_size = 20_KiB;
  Stage stage(described);
  const core::TorrentId track = stage.add_track();
  stage.add_listener(at(1s), {track});
  for (int i = 1; i < 8; ++i) {
    stage.world.follow_at(at(1s + i * 10s), stage.world.add_node(stage.client()), track);
  }
  stage.world.run_until_done(at(500s));
  return make_report("viewers by magnet link", stage.world);
}

ScenarioReport large_pieces(const Variation& v) {
  Variation large = v;
  large.piece_length = 256_KiB;
  return eight_viewers(large);
}

ScenarioReport whole_pieces(const Variation& v) {
  Variation whole = v;
  whole.v1 = true;
  return large_pieces(whole);
}

ScenarioReport uneven_media(const Variation& v) {
  Variation uneven = v;
  uneven.uneven = true;
  return eight_viewers(uneven);
}

ScenarioReport flash_crowd(const Variation& v) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  for (int i = 0; i < 50; ++i) stage.add_listener(at(1s + i * 200ms), {track});
  stage.world.run_until_done(at(500s));
  return make_report("flash crowd", stage.world);
}

ScenarioReport cdn_outage(const Variation& v) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  // So slow that the track is not here by then.
  for (int i = 0; i < 4; ++i) stage.add_seed(track, v.video ? 1_Mbps : 80_kbps);
  const HostId host = stage.add_listener(at(1s), {track});
  stage.world.at(at(20s),
                 [edge = stage.edge](World& w) { w.cdn().set_fault(edge, CdnFault::kBlackHole); });
  for (const auto& [when, to] : {std::pair{30s, 100s}, {50s, 150s}}) {
    stage.world.at(at(when), [host, to = to](World& w) {
      w.listener(host).seek(w.now(), to);
      w.changed(host);
    });
  }
  stage.world.run_until_done(at(500s));
  return make_report("cdn outage", stage.world);
}

ScenarioReport peers_leave(const Variation& v) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  for (int i = 0; i < 4; ++i) {
    const HostId seed = stage.add_seed(track, v.video ? 2_Mbps : 100_kbps);
    const bool clean = i % 2 == 0;
    stage.world.at(at(20s), [seed, clean](World& w) { w.leave(seed, clean); });
  }
  stage.add_listener(at(1s), {track});
  stage.world.run_until_done(at(500s));
  return make_report("peers leave", stage.world);
}

ScenarioReport slow_liar(const Variation& v) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  stage.add_seed(track, 20_kbps);
  stage.add_listener(at(5s), {track});
  stage.world.run_until_done(at(500s));
  return make_report("slow liar", stage.world);
}

ScenarioReport corrupt_peer(const Variation& v) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  HostParams bad = stage.client();
  bad.corrupt = true;
  const HostId liar = stage.world.add_node(bad);
  stage.world.seed(liar, track);
  stage.add_seed(track, 2_Mbps);
  stage.add_listener(at(5s), {track});
  stage.world.run_until_done(at(500s));
  return make_report("corrupt peer", stage.world);
}

// Two of twenty send wrong bytes, and claim to have everything; with no CDN in reach.
ScenarioReport polluted_swarm(const Variation& v) {
  Stage stage(v);
  stage.world.cdn().set_fault(stage.edge, CdnFault::kRefuse);
  const core::TorrentId track = stage.add_track();
  for (int i = 0; i < 2; ++i) {
    HostParams polluter = stage.client();
    polluter.corrupt = true;
    stage.world.seed(stage.world.add_node(polluter), track);
  }
  for (int i = 0; i < 2; ++i) stage.add_seed(track, 10_Mbps);
  for (int i = 0; i < 16; ++i) stage.add_listener(at(2s + i * 2s), {track});
  stage.world.run_until_done(at(500s));
  return make_report("polluted swarm", stage.world);
}

ScenarioReport corrupt_edge(const Variation& v) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  stage.world.cdn().set_corruption(stage.edge, 1000);
  for (int i = 0; i < 2; ++i) stage.add_seed(track, 5_Mbps);
  stage.add_listener(at(5s), {track});
  stage.world.run_until_done(at(500s));
  return make_report("corrupt edge", stage.world);
}

ScenarioReport seek_storm(const Variation& v) {
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  // So slow that the track is not here before the last seek.
  for (int i = 0; i < 4; ++i) stage.add_seed(track, v.video ? 800_kbps : 50_kbps);
  const HostId host = stage.add_listener(at(5s), {track});
  Random random(v.seed);
  for (int i = 0; i < 30; ++i) {
    const Duration to = 1s * static_cast<std::int64_t>(random.below(170));
    const Duration gap = 300ms * static_cast<std::int64_t>(random.below(10));
    stage.world.at(at(8s + i * 3s + gap), [host, to](World& w) {
      w.listener(host).seek(w.now(), to);
      w.changed(host);
    });
  }
  stage.world.run_until_done(at(600s));
  return make_report("seek storm", stage.world);
}

ScenarioReport skip_storm(const Variation& v) {
  Stage stage(v);
  std::vector<core::TorrentId> playlist;
  for (int i = 0; i < 20; ++i) playlist.push_back(stage.add_track());
  for (int i = 0; i < 4; ++i) {
    const HostId seed = stage.add_seed(playlist[0], 2_Mbps);
    for (core::TorrentId track : playlist) stage.world.seed(seed, track);
  }
  const HostId host = stage.add_listener(at(5s), playlist);
  for (int i = 0; i < 19; ++i) {
    stage.world.at(at(6s + i * 1500ms), [host](World& w) {
      w.listener(host).skip(w.now());
      w.changed(host);
    });
  }
  stage.world.run_until_done(at(600s));
  return make_report("skip storm", stage.world);
}

ScenarioReport next_track(const Variation& v) {
  Stage stage(v);
  const core::TorrentId first = stage.add_track();
  const core::TorrentId second = stage.add_track();
  for (int i = 0; i < 4; ++i) {
    const HostId seed = stage.add_seed(first, 2_Mbps);
    stage.world.seed(seed, second);
  }
  stage.add_listener(at(5s), {first, second});
  stage.world.run_until_done(at(800s));
  return make_report("next track", stage.world);
}

ScenarioReport next_track_alone(const Variation& v) {
  Stage stage(v);
  const core::TorrentId first = stage.add_track();
  const core::TorrentId second = stage.add_track();
  stage.add_listener(at(5s), {first, second});
  stage.world.run_until_done(at(800s));
  return make_report("next track alone", stage.world);
}

const std::vector<NamedScenario>& all_scenarios() {
  static const std::vector<NamedScenario> kAll = {{"one_listener", one_listener},
                                                  {"eight_seeds", eight_seeds},
                                                  {"eight_viewers", eight_viewers},
                                                  {"walled_viewers", walled_viewers},
                                                  {"walled_apart", walled_apart},
                                                  {"dht_viewers", dht_viewers},
                                                  {"magnet_viewers", magnet_viewers},
                                                  {"large_pieces", large_pieces},
                                                  {"whole_pieces", whole_pieces},
                                                  {"uneven_media", uneven_media},
                                                  {"flash_crowd", flash_crowd},
                                                  {"cdn_outage", cdn_outage},
                                                  {"peers_leave", peers_leave},
                                                  {"slow_liar", slow_liar},
                                                  {"corrupt_peer", corrupt_peer},
                                                  {"corrupt_edge", corrupt_edge},
                                                  {"polluted_swarm", polluted_swarm},
                                                  {"seek_storm", seek_storm},
                                                  {"skip_storm", skip_storm},
                                                  {"next_track", next_track},
                                                  {"next_track_alone", next_track_alone}};
  return kAll;
}

}  // namespace tributary::sim
