// What the literature has found, found again. Each test prints its figures.
#include <doctest/doctest.h>

#include <string>

#include "tests/scenario/cast/distributions.h"
#include "tests/scenario/cast/scenarios.h"

namespace tributary::sim {
namespace {

TEST_CASE("a file reaches everybody in nearly the time that Kurose and Ross allow") {
  for (const int peers : {10, 30, 100}) {
    const DistributionReport report = distribute({.peers = peers});
    MESSAGE(report.line());
    CHECK(report.permille() >= 1000);
    CHECK(report.permille() <= 1100);
  }
}

TEST_CASE("from a server alone the time grows with everybody who comes") {
  const DistributionReport few = distribute({.peers = 10, .among_peers = false});
  const DistributionReport many = distribute({.peers = 30, .among_peers = false});
  MESSAGE(few.line());
  MESSAGE(many.line());
  CHECK(many.took > few.took * 28 / 10);
  for (const DistributionReport& report : {few, many}) {
    CHECK(report.permille() >= 1000);
    CHECK(report.permille() <= 1050);
  }
}

// N viewers with no other seed cannot have more than (N - 1) / N from each other.
TEST_CASE("simultaneous viewers come near the ceiling that their number sets") {
  for (const int viewers : {2, 4, 16, 32}) {
    Stage stage({});
    const core::TorrentId track = stage.add_track();
    for (int i = 0; i < viewers; ++i) stage.add_listener(TimePoint(1s + i * 5s), {track});
    stage.world.run_until_done(TimePoint(800s));
    const ScenarioReport report = make_report(std::to_string(viewers) + " viewers", stage.world);
    MESSAGE(report.line());
    const int ceiling = 1000 - 1000 / viewers;
    CHECK(report.offload_permille() <= ceiling);
    CHECK(report.offload_permille() >= ceiling - 30);
    CHECK(report.stalls == 0);
  }
}

struct Selection {
  const char* name;
  Duration urgent_window;
  bool in_order;
};

// A swarm without a CDN, whose uplinks carry little more than the media.
ScenarioReport play_by(const Selection& selection) {
  Variation v;
  v.policy = core::Policy::peers_only();
  v.policy.urgent_window = selection.urgent_window;
  v.policy.in_order = selection.in_order;
  v.duration = 120s;
  v.video = true;
  Stage stage(v);
  const core::TorrentId track = stage.add_track();
  stage.add_seed(track, 6_Mbps);
  for (int i = 0; i < 20; ++i) {
    HostParams viewer = stage.client();
    viewer.link.up = 3_Mbps;
    viewer.link.down = 20_Mbps;
    const HostId host = stage.world.add_node(viewer);
    stage.world.listen_at(TimePoint(1s + i * 1s), host, {track});
  }
  stage.world.run_until_done(TimePoint(1200s));
  return make_report(selection.name, stage.world);
}

// Zhou, Chiu & Lui, "A Simple Model for Analyzing P2P Streaming Protocols", ICNP 2007. The paper's
// mixture comes close to rarest first; ours starts as soon as in order does, and where the uplinks
// are as tight as here, and no CDN is there, it pays for that with stalls.
TEST_CASE("in order starts soon and stalls, rarest first waits and does not, ours stalls less") {
  const ScenarioReport in_order = play_by({"in order", 12s, true});
  const ScenarioReport rarest = play_by({"rarest first", 0s, false});
  const ScenarioReport ours = play_by({"ours", 12s, false});
  for (const ScenarioReport& report : {in_order, rarest, ours}) MESSAGE(report.line());
  CHECK(in_order.startup(50) * 10 <= rarest.startup(50));
  CHECK(rarest.stalls * 10 <= in_order.stalls);
  CHECK(ours.startup(50) * 10 <= in_order.startup(50) * 11);
  CHECK(ours.stalls * 10 <= in_order.stalls * 7);
  CHECK(ours.unfinished == 0);
}

}  // namespace
}  // namespace tributary::sim
