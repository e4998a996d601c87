// The scenarios: worlds with a population, faults and figures, built the same way by the tests, the
// digest tool and whoever compares policies.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/sim/report.h"
#include "engine/sim/world.h"

namespace tributary::sim {

// What a scenario may be varied by. Every run of one value is the same.
struct Variation {
  core::Policy policy = core::Policy::adaptive();
  std::uint64_t seed = 1;
  bool video = false;
  Duration duration{};  // of the track; zero: the whole of it
  Bytes piece_length = core::kBlockSize;
  bool v1 = false;               // pieces are verified whole, by SHA-1
  Bytes info_size{};             // of the info dictionary that peers give; zero: they give none
  bool uneven = false;           // the rate swings, and only the demuxer knows how
  std::int32_t trace_host = -1;  // print the decisions of this host; 0: of all
};

TrackParams music_track();  // 155 kbit/s, 240 s
TrackParams video_track();  // 2.5 Mbit/s, 180 s

// A world with one edge at RTT 50 ms from clients, that are 20 ms from each other.
class Stage {
 public:
  explicit Stage(const Variation& variation);

  World world;
  HostId edge;

  core::TorrentId add_track();  // by variation.video
  // 10 Mbit/s down, 5 up.
  HostParams client() const;
  HostId add_listener(TimePoint at, std::vector<core::TorrentId> playlist);
  HostId add_seed(core::TorrentId torrent, BitRate up);

 private:
  Variation variation_;
  int tracks_ = 0;
};

ScenarioReport one_listener(const Variation& v);    // and the CDN
ScenarioReport eight_seeds(const Variation& v);     // of 2 Mbit/s each
ScenarioReport eight_viewers(const Variation& v);   // 10 s apart, no other seed
ScenarioReport walled_viewers(const Variation& v);  // the same, two of whom are not behind NAT
ScenarioReport walled_apart(const Variation& v);    // the same without hole punching
ScenarioReport dht_viewers(const Variation& v);  // the same, whom no tracker and only the DHT tells
ScenarioReport magnet_viewers(const Variation& v);  // the same, all but the first by a magnet link
ScenarioReport large_pieces(const Variation& v);    // the eight viewers, of 256 KiB pieces
ScenarioReport whole_pieces(const Variation& v);    // the same of a v1 torrent
ScenarioReport uneven_media(const Variation& v);    // the eight viewers, of media that swings
ScenarioReport flash_crowd(const Variation& v);     // 50 within 10 s, no other seed
ScenarioReport cdn_outage(const Variation& v);      // for good, while it is needed, with peers
ScenarioReport peers_leave(const Variation& v);     // all seeds at 20 s
ScenarioReport slow_liar(const Variation& v);       // claims all, delivers at 20 kbit/s
ScenarioReport corrupt_peer(const Variation& v);
ScenarioReport polluted_swarm(const Variation& v);  // by a tenth of it, without a CDN
ScenarioReport corrupt_edge(const Variation& v);    // every byte of it
ScenarioReport seek_storm(const Variation& v);
ScenarioReport skip_storm(const Variation& v);
ScenarioReport next_track(const Variation& v);        // two tracks, with seeds
ScenarioReport next_track_alone(const Variation& v);  // two tracks, CDN only

struct NamedScenario {
  std::string name;
  ScenarioReport (*run)(const Variation&);
};
const std::vector<NamedScenario>& all_scenarios();

}  // namespace tributary::sim
