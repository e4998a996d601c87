#include "engine/core/super_seed.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

// A complete client of six pieces of two blocks that super-seeds.
struct SuperRig : SwarmRig {
  explicit SuperRig(bool super = true)
      : SwarmRig(Policy::peers_only(), {.blocks = 12, .blocks_per_piece = 2, .super_seed = super}) {
    in(Restored{kTorrent, Bitfield(swarm().layout().block_count(), true)});
  }
  // A peer without anything; returns what it is shown.
  std::set<int> join(int n) {
    connect(n);
    return shown(say(n, HaveNone{}), n);
  }
  static std::set<int> shown(const Lines& lines, int n) {
    std::set<int> pieces;
    const std::string start = "c" + std::to_string(n) + ": have ";
    for (const std::string& line : with(lines, start)) {
      pieces.insert(std::stoi(line.substr(start.size())));
    }
    return pieces;
  }
  // A block leaves for the peer.
  Lines sends(int n, int block) {
    return in(BlockSent{kTorrent, conn_of(n), swarm().layout().span_of(BlockIndex(block)), true});
  }
};

TEST_CASE("a super-seed claims to have nothing, and shows each peer two pieces of its own") {
  SuperRig rig;
  CHECK(with(rig.connect(1), "have none").size() == 1);
  std::set<int> all = SuperRig::shown(rig.say(1, HaveNone{}), 1);
  CHECK(all.size() == 2);
  for (int n : {2, 3}) {
    const std::set<int> more = rig.join(n);
    CHECK(more.size() == 2);
    all.insert(more.begin(), more.end());
  }
  CHECK(all.size() == 6);
}

TEST_CASE("without the option all is claimed at once") {
  SuperRig rig(false);
  CHECK(with(rig.connect(1), "have all").size() == 1);
  CHECK(rig.say(1, HaveNone{}).empty());
}

TEST_CASE("a peer is shown another piece when one of its own is seen at somebody else") {
  SuperRig rig;
  const int piece = *rig.join(1).begin();
  rig.join(2);
  const std::set<int> more = SuperRig::shown(rig.say(2, Have{PieceIndex(piece)}), 1);
  CHECK(more.size() == 1);
  CHECK(more.count(piece) == 0);
}

TEST_CASE("what a peer itself has is no sign that it passed it on, while others lack it") {
  SuperRig rig;
  const int piece = *rig.join(1).begin();
  rig.join(2);
  rig.say(1, Interested{});
  for (int block : {piece * 2, piece * 2 + 1}) {
    rig.say(1, Request{rig.swarm().layout().span_of(BlockIndex(block))});
    CHECK(SuperRig::shown(rig.sends(1, block), 1).empty());
  }
}

TEST_CASE("a peer alone is shown another piece once it was sent one whole") {
  SuperRig rig;
  const int piece = *rig.join(1).begin();
  rig.say(1, Interested{});
  CHECK(rig.say(1, Request{rig.swarm().layout().span_of(BlockIndex(piece * 2))}) ==
        Lines{"c1: block " + std::to_string(piece * 2)});
  CHECK(SuperRig::shown(rig.sends(1, piece * 2), 1).empty());
  rig.say(1, Request{rig.swarm().layout().span_of(BlockIndex(piece * 2 + 1))});
  CHECK(SuperRig::shown(rig.sends(1, piece * 2 + 1), 1).size() == 1);
}

TEST_CASE("when the one who had to pass it on to leaves, the others wait for nobody") {
  SuperRig rig;
  const int piece = *rig.join(1).begin();
  rig.join(2);
  rig.say(1, Interested{});
  for (int block : {piece * 2, piece * 2 + 1}) {
    rig.say(1, Request{rig.swarm().layout().span_of(BlockIndex(block))});
    rig.sends(1, block);
  }
  CHECK(SuperRig::shown(rig.in(PeerClosed{SwarmRig::kTorrent, conn_of(2)}), 1).size() == 1);
}

}  // namespace
}  // namespace tributary::core
