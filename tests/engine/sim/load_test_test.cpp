#include "engine/sim/load_test.h"

#include <doctest/doctest.h>

namespace tributary::sim {
namespace {

constexpr std::int64_t kPercent = kWhole / 100;

Workload listeners(int count) {
  Workload w;
  w.listeners = count;
  w.length = 10min;
  w.tracks = 6;
  w.track_length.points = {{kWhole, 60s}};
  w.session.points = {{kWhole, 3min}};
  w.pause.points = {{kWhole, 1min}};
  w.chosen = 40 * kPercent;
  w.skipped = 20 * kPercent;
  w.skipped_after.points = {{kWhole, 20s}};
  w.arrivals = 2min;
  LinkClass home;
  home.link = {5_Mbps, 10_Mbps, 10ms, 0};
  w.links.push_back(home);
  return w;
}

LoadReport run(const Workload& workload, const LoadSetup& setup,
               const core::Policy& policy = core::Policy::adaptive()) {
  const LoadPlan plan = make_plan(workload, 3);
  LoadTest test(plan, setup, policy, 3);
  test.run_until(TimePoint(plan.length));
  return test.report();
}

TEST_CASE("a load's bytes add up, by time, by popularity and by source") {
  const LoadReport report = run(listeners(20), {});
  CHECK(report.plays > 100);
  CHECK(report.received[Origin::kPeers] > 0_B);
  CHECK(report.received[Origin::kCdn] > 0_B);
  OriginBytes by_time;
  for (const LoadBin& bin : report.bins) by_time += bin.received;
  OriginBytes by_popularity;
  for (const OriginBytes& tenth : report.by_popularity) by_popularity += tenth;
  for (Origin origin : {Origin::kPeers, Origin::kCdn}) {
    CHECK(by_time[origin] == report.received[origin]);
    CHECK(by_popularity[origin] == report.received[origin]);
  }
  CHECK(report.cdn.delivered == report.received[Origin::kCdn]);
  Bytes uploaded;
  for (Bytes upload : report.uploads) uploaded += upload;
  CHECK(uploaded >= report.received[Origin::kPeers]);  // some is on its way when a connection ends
  // What was heard is what 160 kbit/s make of the time, to the frame.
  const Bytes heard = bytes_in(report.heard, listeners(1).rate);
  CHECK(report.played.total() >= heard * 9 / 10);
  CHECK(report.played.total() <= heard * 11 / 10);
}

TEST_CASE("the same load gives the same figures, another policy others") {
  const LoadReport once = run(listeners(10), {});
  CHECK(run(listeners(10), {}).digest == once.digest);
  const LoadReport spotify = run(listeners(10), {}, core::Policy::spotify());
  CHECK(spotify.digest != once.digest);
  CHECK(spotify.plays == once.plays);
}

TEST_CASE("what was heard once is in the cache, after a pause as well") {
  Workload w = listeners(1);
  w.tracks = 1;
  w.chosen = kWhole;
  w.skipped = 0;
  const LoadReport report = run(w, {});
  CHECK(report.received[Origin::kCdn] < bytes_in(65s, w.rate));  // one copy
  CHECK(report.played[Origin::kCache] > report.played[Origin::kCdn] * 4);
  CHECK(report.startups.size() == 1);
  CHECK(report.cached_startups.size() >= 5);
  CHECK(report.cached_startups.back() < report.startups.front());
}

TEST_CASE("a cache of one track keeps no second one") {
  Workload w = listeners(1);
  w.length = 1h;
  w.tracks = 10;
  w.chosen = kWhole;
  w.skipped = 0;
  LoadSetup setup;
  const LoadReport whole = run(w, setup);
  setup.cache = bytes_in(70s, w.rate);
  setup.shares = 0;
  const LoadReport small = run(w, setup);
  CHECK(whole.played[Origin::kCache] > 0_B);
  CHECK(small.played[Origin::kCache] < whole.played[Origin::kCache]);
  CHECK(small.received[Origin::kCdn] > whole.received[Origin::kCdn]);
}

TEST_CASE("tracks in caches are offered to others, so many as are shared") {
  Workload w = listeners(10);
  w.tracks = 30;
  w.cached = 25;
  w.arrivals = 1s;
  w.session.points = {{kWhole, 1h}};
  LoadSetup setup;
  setup.shares = 30;
  const LoadReport sharing = run(w, setup);
  setup.shares = 0;
  const LoadReport keeping = run(w, setup);
  CHECK(sharing.received[Origin::kPeers] > keeping.received[Origin::kPeers]);
  CHECK(sharing.received[Origin::kCdn] < keeping.received[Origin::kCdn]);
}

TEST_CASE("the warm-up counts for nothing") {
  LoadSetup setup;
  const LoadReport all = run(listeners(10), setup);
  setup.warm_up = 5min;
  const LoadReport late = run(listeners(10), setup);
  CHECK(late.digest == all.digest);
  CHECK(late.plays < all.plays);
  CHECK(late.received.total() < all.received.total());
  CHECK(late.ledger.cdn() + late.ledger.peers <= late.received.total());
  CHECK(late.measured == 5min);
}

TEST_CASE("while the CDN is down nothing comes from it") {
  LoadSetup setup;
  setup.faults = {{LoadFault::Kind::kCdnDown, TimePoint(3min), TimePoint(6min)}};
  const LoadReport report = run(listeners(10), setup);
  for (std::size_t minute = 4; minute < 6; ++minute) {
    CHECK(report.bins[minute].received[Origin::kCdn] == 0_B);
  }
  CHECK(report.cdn.failures > 0);
}

TEST_CASE("who is out gets nothing and stalls, who is not hardly does") {
  Workload w = listeners(10);
  w.tracks = 1;
  w.skipped = 0;
  w.length = 3min;
  w.track_length.points = {{kWhole, 10min}};
  w.session.points = {{kWhole, 1h}};
  w.rate = 4_Mbps;
  w.links.push_back(w.links[0]);
  w.links[1].weather = {{}, kWhole, {{{kWhole, 30s}}}, {{{kWhole, 60s}}}};
  const LoadReport report = run(w, {}, core::Policy::cdn_only());
  REQUIRE(report.by_class.size() == 2);
  CHECK(report.by_class[0].listeners + report.by_class[1].listeners == 10);
  CHECK(report.by_class[0].stalled < 1s * report.by_class[0].listeners);
  CHECK(report.by_class[1].stalled > 30s * report.by_class[1].listeners);
  CHECK(report.by_class[0].plays + report.by_class[1].plays == report.plays);
}

TEST_CASE("who does not upload sends nothing, and the others' figures stand beside his") {
  Workload w = listeners(20);
  w.links.push_back(w.links[0]);
  w.links[1].upload = false;
  LoadSetup setup;
  setup.warm_up = 2min;
  const LoadReport report = run(w, setup);
  REQUIRE(report.by_class.size() == 2);
  CHECK(report.by_class[1].uploaded == 0_B);
  CHECK(report.by_class[0].uploaded == report.uploaded);
  OriginBytes received;
  for (const LoadClass& of_class : report.by_class) {
    received += of_class.received;
    CHECK(of_class.online > Duration::zero());
    CHECK(of_class.online <= report.measured * of_class.listeners);
  }
  CHECK(received[Origin::kPeers] == report.received[Origin::kPeers]);
  CHECK(received[Origin::kCdn] == report.received[Origin::kCdn]);
}

TEST_CASE("while operators are parted, all that peers give comes from the own one") {
  Workload w = listeners(12);
  w.operators = 3;
  w.session.points = {{kWhole, 1h}};
  LoadSetup setup;
  const LoadReport whole = run(w, setup);
  CHECK(whole.from_operator < whole.received[Origin::kPeers]);
  setup.faults = {{LoadFault::Kind::kPartition, TimePoint(0s), TimePoint(1h)}};
  const LoadReport parted = run(w, setup);
  CHECK(parted.received[Origin::kPeers] > 0_B);
  CHECK(parted.from_operator == parted.received[Origin::kPeers]);
  CHECK(parted.received[Origin::kCdn] > whole.received[Origin::kCdn]);
}

TEST_CASE("who prefers his own operator's peers gets more from them") {
  Workload w = listeners(60);
  w.tracks = 2;
  w.operators = 4;
  LoadSetup setup;
  const LoadReport near = run(w, setup);
  setup.near_first = false;
  const LoadReport any = run(w, setup);
  CHECK(near.from_operator.count() * any.received[Origin::kPeers].count() >
        any.from_operator.count() * near.received[Origin::kPeers].count());
}

TEST_CASE("what was received was kept, repeated or wrong") {
  Workload w = listeners(12);
  w.links.push_back(w.links[0]);
  w.links[1].conduct = Conduct::kPolluter;
  const LoadReport report = run(w, {});
  CHECK(report.corrupt[Origin::kPeers] > 0_B);
  CHECK(report.corrupt[Origin::kCdn] == 0_B);
  for (Origin origin : {Origin::kPeers, Origin::kCdn}) {
    CHECK(report.kept[origin] + report.duplicate[origin] + report.corrupt[origin] ==
          report.received[origin]);
  }
}

TEST_CASE("Jain's index is one where all send alike, and 1 / n where one sends all") {
  LoadReport report;
  CHECK(report.fairness() == 0);
  report.uploads = {1_MiB, 1_MiB, 1_MiB, 1_MiB};
  CHECK(report.fairness() == kWhole);
  report.uploads = {4_MiB, 0_B, 0_B, 0_B};
  CHECK(report.fairness() == kWhole / 4);
}

}  // namespace
}  // namespace tributary::sim
