// When a swarm asks for the DHT, and what it does with what comes of it.
#include <doctest/doctest.h>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

constexpr std::uint16_t kPort = 6881;
constexpr const char* kSearch = "search the DHT";
const TrackShape kTracked{.trackers = {{"http://t/"}}, .dht_port = kPort};
const TrackShape kTrackerless{.dht_port = kPort};
const TrackShape kPrivate{.is_private = true, .dht_port = kPort};

Endpoint peer(int n) {
  return Endpoint::v4(10, 0, 1, static_cast<std::uint8_t>(n), static_cast<std::uint16_t>(7000 + n));
}

Input found(std::initializer_list<Endpoint> peers) {
  return PeersFound{SwarmRig::kTorrent, PeerSource::kDht, peers};
}

TEST_CASE("the DHT is searched a second after the start, and at once where there is no tracker") {
  SwarmRig tracked(Policy::adaptive(), kTracked);
  CHECK(with(tracked.start(), kSearch).empty());
  CHECK(with(tracked.pass(1s - 1us), kSearch).empty());
  CHECK(with(tracked.pass(1us), kSearch).size() == 1);
  SwarmRig trackerless(Policy::adaptive(), kTrackerless);
  CHECK(with(trackerless.start(), kSearch).size() == 1);
}

TEST_CASE("it is searched soon again and then every minute while peers are few, else seldom") {
  SwarmRig rig(Policy::peers_only(), kTrackerless);
  REQUIRE(with(rig.start(), kSearch).size() == 1);
  CHECK(with(rig.pass(10s), kSearch).size() == 1);
  CHECK(with(rig.pass(20s), kSearch).size() == 1);
  CHECK(with(rig.pass(10min + 40s), kSearch).size() == 11);
  for (int n = 1; n <= 5; ++n) rig.connect(n);
  CHECK(with(rig.pass(15min - 1us), kSearch).empty());
  CHECK(with(rig.pass(1us), kSearch).size() == 1);
}

TEST_CASE("who shares alone announces itself every quarter of an hour") {
  SwarmRig rig(Policy::adaptive(), kTrackerless);
  rig.swarm().share(true, rig.now());
  CHECK(with(rig.drain(), kSearch).size() == 1);
  CHECK(with(rig.pass(46min), kSearch).size() == 3);
}

TEST_CASE("nothing is searched without need, without peers' help, or where there is no DHT") {
  SwarmRig idle(Policy::adaptive(), kTrackerless);
  CHECK(with(idle.pass(1h), kSearch).empty());
  SwarmRig cdn_only(Policy::cdn_only(), kTrackerless);
  CHECK(with(cdn_only.start(), kSearch).empty());
  CHECK(with(cdn_only.pass(1h), kSearch).empty());
  SwarmRig without;
  CHECK(with(without.start(), kSearch).empty());
  CHECK(with(without.pass(1h), kSearch).empty());
}

TEST_CASE("peers of the DHT are dialled, and shown by their flag") {
  SwarmRig rig(Policy::peers_only(), kTrackerless);
  rig.start();
  CHECK(with(rig.in(found({peer(1), peer(2)})), "connect") ==
        Lines{"connect 7001", "connect 7002"});
  const auto* connect = std::get_if<Connect>(&rig.actions().front());
  REQUIRE(connect);
  CHECK(connect->handshake.dht);
  const Handshake hello{InfoHash{}, peer_id_of(1), true, true, false};
  rig.in(PeerConnected{SwarmRig::kTorrent, connect->conn, peer(1), false, hello});
  REQUIRE(rig.swarm().peers().size() == 1);
  CHECK(rig.swarm().peers().front().flags.find('H') != std::string::npos);
}

TEST_CASE("a private torrent has nothing to do with the DHT, whatever peers say") {
  SwarmRig rig(Policy::peers_only(), kPrivate);
  CHECK(with(rig.start(), kSearch).empty());
  CHECK(with(rig.pass(1h), kSearch).empty());
  CHECK(with(rig.in(found({peer(1)})), "connect").empty());
  CHECK(with(rig.connect(1, true, false, true), "port").empty());
  CHECK(with(rig.say(1, Port{7001}), "DHT").empty());
  CHECK_FALSE(rig.swarm().answer(Handshake{}).dht);
}

TEST_CASE("peers that have a DHT node are told of ours, and theirs is taken once") {
  SwarmRig rig(Policy::adaptive(), kTrackerless);
  CHECK(with(rig.connect(1), "port").empty());
  CHECK(with(rig.connect(2, true, false, true), "port") == Lines{"c2: port 6881"});
  CHECK(with(rig.say(2, Port{0}), "DHT").empty());
  CHECK(rig.say(2, Port{7002}) == Lines{"DHT node 7002"});
  CHECK(rig.say(2, Port{7003}).empty());
}

}  // namespace
}  // namespace tributary::core
