// The world's figures can be bad: what scenario tests assert does fail where it should.
#include "engine/sim/world.h"

#include <doctest/doctest.h>

#include "engine/sim/report.h"

namespace tributary::sim {
namespace {

TimePoint at(Duration time) { return TimePoint(time); }

// One listener of a track of 30 s at 155 kbit/s, and one edge.
struct Studio {
  explicit Studio(const TrackParams& params = half_a_minute(), BitRate egress = kUnlimited) {
    EdgeParams e;
    e.egress = egress;
    edge = world.add_edge(e);
    track = world.add_track(params);
    host = world.add_node({});
    world.listen_at(at(1s), host, {track});
  }
  static TrackParams half_a_minute() {
    TrackParams p;
    p.duration = 30s;
    return p;
  }
  ScenarioReport run(Duration limit) {
    done = world.run_until_done(at(limit));
    return make_report("studio", world);
  }

  World world{WorldParams{}};
  HostId edge;
  core::TorrentId track;
  HostId host;
  bool done = false;
};

TEST_CASE("a listener without any source hears nothing and shows as unfinished") {
  Studio studio;
  studio.world.cdn().set_fault(studio.edge, CdnFault::kRefuse);
  const ScenarioReport report = studio.run(120s);
  CHECK_FALSE(studio.done);
  CHECK(report.unfinished == 1);
  CHECK(report.startups.empty());
  CHECK(report.heard == Duration::zero());
}

TEST_CASE("a CDN slower than the media stalls its listener, who hears all of it in the end") {
  Studio studio(Studio::half_a_minute(), 100_kbps);
  const ScenarioReport report = studio.run(200s);
  CHECK(studio.done);
  CHECK(report.unfinished == 0);
  CHECK(report.stalls > 0);
  CHECK(report.heard == 30s);
  // 30 s of 155 kbit/s take 46.5 s at 100 kbit/s.
  CHECK(report.stalled + report.startup(100) > 14s);
}

TEST_CASE("a track without hints plays by the timeline that its demuxer tells") {
  TrackParams params = Studio::half_a_minute();
  params.hints = false;
  params.swing = 5s;
  Studio studio(params);
  studio.world.run_until(at(900ms));
  const core::Swarm* before = studio.world.node(studio.host).swarm(studio.track);
  CHECK((before == nullptr || !before->timeline_known(core::FileIndex(0))));
  const ScenarioReport report = studio.run(100s);
  CHECK(report.stalls == 0);
  CHECK(studio.world.node(studio.host).swarm(studio.track)->timeline_known(core::FileIndex(0)));
}

TEST_CASE("where the rate swings, the quiet half carries a tenth of the mean") {
  TrackParams params = Studio::half_a_minute();
  params.swing = 5s;
  const Track track(params, 1);
  const core::ByteTimeMap& map = track.timeline();
  const Bytes mean = bytes_in(5s, params.rate);
  CHECK(map.offset_at(5s) == mean / 10);
  CHECK(map.offset_at(10s) == 2 * mean);
  CHECK(map.offset_at(15s) - map.offset_at(10s) == mean / 10);
  CHECK(map.offset_at(30s) == track.size());
}

}  // namespace
}  // namespace tributary::sim
