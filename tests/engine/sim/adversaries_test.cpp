#include "engine/sim/adversaries.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/sim/world.h"

namespace tributary::sim {
namespace {

TimePoint at(Duration time) { return TimePoint(time); }

core::ChokePeer peer(std::uint64_t id) {
  core::ChokePeer p;
  p.conn = core::ConnId(id);
  p.interested = true;
  return p;
}

struct Round {
  core::ChokeRule rule = bit_tyrant(1000_kbps);
  core::ChokerState state{Random(1)};
  core::ChokerSnapshot snapshot;

  core::ChokeDecision decide(Duration now) {
    snapshot.now = at(now);
    core::ChokeDecision d = rule(snapshot, state);
    for (core::ChokePeer& p : snapshot.peers) {
      p.unchoked = std::count(d.unchoked.begin(), d.unchoked.end(), p.conn) > 0;
    }
    return d;
  }
};

TEST_CASE("a BitTyrant offers a fifth to each of five at first") {
  Round r;
  for (std::uint64_t id = 1; id <= 8; ++id) r.snapshot.peers.push_back(peer(id));
  const core::ChokeDecision d = r.decide(0s);
  CHECK(d.unchoked.size() == 5);
  for (const core::UploadShare& share : d.shares) CHECK(share.most == 200_kbps);
}

TEST_CASE("a BitTyrant pays those less who have served it for three rounds, and others more") {
  Round r;
  r.snapshot.peers = {peer(1), peer(2)};
  r.decide(0s);
  r.snapshot.peers[0].unchokes_us = true;
  r.snapshot.peers[0].received = 300_kbps;
  r.decide(10s);
  r.decide(20s);
  const core::ChokeDecision d = r.decide(30s);
  REQUIRE(d.unchoked == std::vector{core::ConnId(1), core::ConnId(2)});  // by return
  CHECK(d.shares[0].most == 180_kbps);
  CHECK(d.shares[1].most == BitRate(345'600));  // raised by a fifth three times
}

TEST_CASE("a complete BitTyrant gives nothing") {
  Round r;
  r.snapshot.peers = {peer(1)};
  r.snapshot.seeding = true;
  CHECK(r.decide(0s).unchoked.empty());
}

TEST_CASE("a hider claims nothing, and shows the most common of what it has, a few at a time") {
  PieceHider hider;
  TrackParams params;
  const Track track(params, 1);
  const core::ConnId a(1);
  const core::ConnId b(2);
  for (core::ConnId conn : {a, b}) {
    CHECK(std::holds_alternative<core::HaveNone>(
        *hider.said(conn, core::HaveNone{}, track.layout())));
  }
  for (int piece = 0; piece < 20; ++piece) {
    CHECK_FALSE(hider.said(a, core::Have{core::PieceIndex(piece)}, track.layout()).has_value());
  }
  CHECK(hider.said(a, core::Unchoke{}, track.layout()).has_value());
  hider.heard(b, core::Have{core::PieceIndex(13)});
  std::vector<int> to_a;
  while (const auto shown = hider.show()) {
    if (shown->first == a) to_a.push_back(shown->second.value());
    if (shown->first == b) CHECK(shown->second.value() != 13);
  }
  REQUIRE(to_a.size() == PieceHider::kAtOnce);
  CHECK(to_a.front() == 13);
  hider.gave(a, core::PieceIndex(13));
  hider.heard(a, core::Interested{});
  const auto more = hider.show();
  REQUIRE(more.has_value());
  CHECK(more->first == a);
}

struct Swarm {
  World world{WorldParams{}};
  core::TorrentId track;
  HostParams params;
  Swarm() {
    TrackParams t;
    t.duration = 20s;
    track = world.add_track(t);
    params.policy = core::Policy::peers_only();
  }
};

TEST_CASE("a download without a listener ends with the whole track, and may leave then") {
  Swarm s;
  s.world.seed(s.world.add_node(s.params), s.track);
  const HostId stays = s.world.add_node(s.params);
  s.params.leaves_when_done = true;
  const HostId leaves = s.world.add_node(s.params);
  for (HostId host : {stays, leaves}) s.world.download(host, s.track);
  CHECK(s.world.run_until_done(at(120s)));
  CHECK(s.world.completed(stays).has_value());
  CHECK(s.world.store(leaves).complete(s.track));
  s.world.run_until(s.world.now() + 1s);
  CHECK(s.world.online(stays));
  CHECK_FALSE(s.world.online(leaves));
  s.world.check_books();
}

TEST_CASE("a lie is written down with who told it to whom, and when he was shut out") {
  Swarm s;
  HostParams bad = s.params;
  bad.corrupt = true;
  const HostId liar = s.world.add_node(bad);
  s.world.seed(liar, s.track);
  const HostId victim = s.world.add_node(s.params);
  s.world.download(victim, s.track);
  s.world.run_until(at(20s));
  REQUIRE(s.world.lies().size() == 1);
  const Lie& lie = s.world.lies().front();
  CHECK(lie.victim == victim);
  CHECK(lie.liar == liar);
  CHECK(lie.bytes >= 16_KiB);
  REQUIRE(lie.cut.has_value());
  CHECK(*lie.cut >= lie.first);
}

}  // namespace
}  // namespace tributary::sim
