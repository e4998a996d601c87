#include "engine/core/parting.h"

#include <doctest/doctest.h>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

constexpr TimePoint kNow = TimePoint(1h);

Neighbour neighbour(int n, Bytes lately, Bytes last_hour, bool of_interest = false,
                    Duration age = 10min) {
  return {conn_of(n), lately, last_hour, of_interest, false, kNow - age};
}

TEST_CASE("the least useful go first: lately, in the hour, of interest, by age") {
  const std::vector<Neighbour> all{
      neighbour(1, 5_KiB, 5_KiB),           neighbour(2, 0_B, 9_KiB),
      neighbour(3, 0_B, 0_B, true),         neighbour(4, 0_B, 0_B, false, 20min),
      neighbour(5, 0_B, 0_B, false, 10min), neighbour(6, 4_KiB, 90_KiB)};
  CHECK(choose_partings(all, 0, kNow) == std::vector<ConnId>{conn_of(5), conn_of(4), conn_of(3),
                                                             conn_of(2), conn_of(6), conn_of(1)});
  CHECK(choose_partings(all, 4, kNow) == std::vector<ConnId>{conn_of(5), conn_of(4)});
  CHECK(choose_partings(all, 6, kNow).empty());
  CHECK(choose_partings({}, 0, kNow).empty());
}

TEST_CASE("newcomers and those with blocks under way are spared") {
  std::vector<Neighbour> all{neighbour(1, 0_B, 0_B, false, kProbation - 1us),
                             neighbour(2, 0_B, 0_B, false, kProbation), neighbour(3, 0_B, 0_B)};
  all[2].transferring = true;
  CHECK(choose_partings(all, 0, kNow) == std::vector<ConnId>{conn_of(2)});
}

TEST_CASE("at the hard limit a swarm parts with the least useful down to the soft one") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s);
  for (int n = 1; n < 60; ++n) {
    CHECK(with(rig.connect(n), "disconnect").empty());
    rig.pass(1ms);
  }
  rig.pass(kProbation);
  const Lines parted = with(rig.connect(60), "disconnect");
  REQUIRE(parted.size() == 10);
  for (int n = 0; n < 10; ++n) {
    CHECK(std::find(parted.begin(), parted.end(), "c" + std::to_string(50 + n) + ": disconnect") !=
          parted.end());
  }
  for (int n = 50; n < 60; ++n) rig.in(PeerClosed{SwarmRig::kTorrent, conn_of(n)});
  CHECK(with(rig.connect(61), "disconnect").empty());
}

}  // namespace
}  // namespace tributary::core
