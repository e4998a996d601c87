// How a swarm learns where the world sees it, and what follows.
#include <doctest/doctest.h>

#include <algorithm>

#include "engine/core/locality.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

constexpr std::uint16_t kMapped = 5000;  // by the router

Endpoint ours(std::uint16_t port = 0) { return Endpoint::v4(99, 9, 9, 9, port); }

struct Rig : SwarmRig {
  Rig() : SwarmRig(Policy::peers_only(), {.rank_addresses = true}) { start(); }
  // A peer of a network of its own.
  void sees(int n, const Endpoint& seen) {
    const auto network = static_cast<std::uint8_t>(n);
    in(PeerConnected{kTorrent, conn_of(n), Endpoint::v4(50, network, 1, 1, 1), true,
                     Handshake{{}, peer_id_of(n), true, true}});
    ExtendedHandshake hello;
    hello.your_ip = seen;
    say(n, hello);
  }
  Lines tracker(std::vector<Endpoint> peers, std::optional<Endpoint> seen = {}) {
    return with(in(AnnounceReply{kTorrent, "t", std::move(peers), 30min, 1min, seen}), "connect");
  }
};

TEST_CASE(
    "a swarm does not dial itself at the address that peers see, and the port that is mapped") {
  Rig rig;
  for (int n = 1; n <= 5; ++n) rig.sees(n, ours());
  rig.swarm().set_listen_port(kMapped);
  CHECK(rig.tracker({ours(kMapped), ours(kMapped + 1)}) == Lines{"connect 5001"});
}

TEST_CASE("the port may be mapped before the address is known") {
  Rig rig;
  rig.swarm().set_listen_port(kMapped);
  for (int n = 1; n <= 5; ++n) rig.sees(n, ours());
  CHECK(rig.tracker({ours(kMapped), ours(kMapped + 1)}) == Lines{"connect 5001"});
}

TEST_CASE("a tracker's word counts as one peer's, however often it is given") {
  Rig rig;
  rig.swarm().set_listen_port(kMapped);
  for (int i = 0; i < 10; ++i) rig.tracker({}, ours());
  for (int n = 1; n <= 3; ++n) rig.sees(n, ours());
  CHECK(rig.tracker({ours(kMapped)}) == Lines{"connect 5000"});
  Rig more;
  more.swarm().set_listen_port(kMapped);
  more.tracker({}, ours());
  for (int n = 1; n <= 4; ++n) more.sees(n, ours());
  CHECK(more.tracker({ours(kMapped)}).empty());
}

TEST_CASE("neighbours behind the same router are ranked by the port that is mapped") {
  Rig rig;
  rig.swarm().set_listen_port(kMapped);
  for (int n = 1; n <= 5; ++n) rig.sees(n, ours());
  std::vector<Endpoint> neighbours;
  for (std::uint16_t port = 6001; port <= 6005; ++port) neighbours.push_back(ours(port));
  const Lines dialled = rig.tracker(neighbours);
  const auto by_priority = [](const Endpoint& self) {
    return [self](const Endpoint& a, const Endpoint& b) {
      return canonical_priority(self, a) > canonical_priority(self, b);
    };
  };
  std::sort(neighbours.begin(), neighbours.end(), by_priority(ours(kMapped)));
  Lines wanted;
  for (const Endpoint& each : neighbours) wanted.push_back("connect " + std::to_string(each.port));
  CHECK(dialled == wanted);
  // Which tells the port from none at all.
  CHECK_FALSE(std::is_sorted(neighbours.begin(), neighbours.end(), by_priority(ours())));
}

}  // namespace
}  // namespace tributary::core
