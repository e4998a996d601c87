// When a swarm has itself announced on the local network, and whom it takes from there.
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

constexpr const char* kAnnounce = "announce locally";
const TrackShape kLocal{.local = true};
const TrackShape kPrivate{.is_private = true, .local = true};

TEST_CASE("a swarm is announced at once, then every five minutes") {
  SwarmRig rig(Policy::peers_only(), kLocal);
  CHECK(with(rig.start(), kAnnounce).size() == 1);
  CHECK(with(rig.pass(5min - 1us), kAnnounce).empty());
  CHECK(with(rig.pass(1us), kAnnounce).size() == 1);
  CHECK(with(rig.pass(50min), kAnnounce).size() == 10);
}

TEST_CASE("who shares alone is announced too, who neither plays nor shares is not") {
  SwarmRig rig(Policy::adaptive(), kLocal);
  CHECK(with(rig.pass(1h), kAnnounce).empty());
  rig.swarm().share(true, rig.now());
  CHECK(with(rig.drain(), kAnnounce).size() == 1);
}

TEST_CASE("a private torrent is announced to nobody, and neither is one of the CDN alone") {
  SwarmRig secret(Policy::peers_only(), kPrivate);
  CHECK(with(secret.start(), kAnnounce).empty());
  CHECK(with(secret.pass(1h), kAnnounce).empty());
  SwarmRig cdn_only(Policy::cdn_only(), kLocal);
  CHECK(with(cdn_only.start(), kAnnounce).empty());
  SwarmRig without;
  CHECK(with(without.start(), kAnnounce).empty());
}

TEST_CASE("peers of the local network are dialled, and shown by their flag") {
  SwarmRig rig(Policy::peers_only(), kLocal);
  rig.start();
  const Endpoint peer = Endpoint::v4(192, 168, 1, 9, 7000);
  CHECK(with(rig.in(PeersFound{SwarmRig::kTorrent, PeerSource::kLocal, {peer}}), "connect") ==
        Lines{"connect 7000"});
  const auto* connect = std::get_if<Connect>(&rig.actions().front());
  REQUIRE(connect);
  const Handshake hello{InfoHash{}, peer_id_of(1), true, true, false};
  rig.in(PeerConnected{SwarmRig::kTorrent, connect->conn, peer, false, hello});
  REQUIRE(rig.swarm().peers().size() == 1);
  CHECK(rig.swarm().peers().front().flags.find('L') != std::string::npos);
}

TEST_CASE("flags show how much of a connection is encrypted") {
  for (const auto& [encryption, letter] :
       {std::pair(Encryption::kStream, 'E'), std::pair(Encryption::kHandshake, 'e'),
        std::pair(Encryption::kNone, '-')}) {
    SwarmRig rig(Policy::peers_only());
    rig.start();
    const Handshake hello{InfoHash{}, peer_id_of(1), true, true, false};
    rig.in(PeerConnected{SwarmRig::kTorrent, conn_of(1), Endpoint::v4(10, 0, 0, 1, 6881), true,
                         hello, encryption});
    REQUIRE(rig.swarm().peers().size() == 1);
    const std::string flags = rig.swarm().peers()[0].flags;
    CHECK((flags.find('E') != std::string::npos) == (letter == 'E'));
    CHECK((flags.find('e') != std::string::npos) == (letter == 'e'));
  }
}

}  // namespace
}  // namespace tributary::core
