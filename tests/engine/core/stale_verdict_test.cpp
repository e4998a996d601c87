// Verdicts that come after what they speak of has changed (receiver.h).
#include <doctest/doctest.h>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

constexpr BlockRange kPiece{BlockIndex(0), BlockIndex(4)};

// Block 0 was found on disk, the peer brings the rest, and the piece is being verified.
struct Verifying {
  Verifying() {
    Bitfield stored(12);
    stored.set(0);
    rig.in(Restored{SwarmRig::kTorrent, stored});
    rig.play(0s, 100s);
    rig.seed(1);
    for (int b = 1; b < 4; ++b) first = id_of(rig.piece(1, b));
    REQUIRE(first != VerifyId());
  }
  VerifyId id_of(const Lines& lines) const {
    if (with(lines, "verify 0-4 whole").empty()) return {};
    for (const Action& action : rig.actions()) {
      if (const auto* verify = std::get_if<Verify>(&action)) return verify->id;
    }
    return {};
  }
  // The store loses block 0, and the peer brings it.
  VerifyId again() {
    lose();
    rig.piece(1, 5);  // makes room for a request
    return id_of(rig.piece(1, 0));
  }
  void lose() { rig.in(BlocksLost{SwarmRig::kTorrent, {BlockIndex(0), BlockIndex(1)}}); }
  Lines verdict(VerifyId id, bool good) {
    return rig.in(Verified{SwarmRig::kTorrent, kPiece, good, {}, id});
  }

  SwarmRig rig{Policy::peers_only(),
               {.blocks = 12, .blocks_per_piece = 4, .v1 = true, .v2 = false}};
  VerifyId first;
};

TEST_CASE("a block that was lost and came again is not kept by the verdict on its old copy") {
  Verifying v;
  const VerifyId second = v.again();
  REQUIRE(second != VerifyId());
  CHECK(second != v.first);
  CHECK(with(v.verdict(v.first, true), "store").empty());
  CHECK(with(v.verdict(second, true), "store").size() == 4);
}

TEST_CASE("a block that was lost and came again is not dropped by the verdict on its old copy") {
  Verifying v;
  const VerifyId second = v.again();
  const Lines lines = v.verdict(v.first, false);
  CHECK(with(lines, "free").empty());
  CHECK(with(lines, "disconnect").empty());
  CHECK(with(v.verdict(second, false), "free").size() == 4);
}

TEST_CASE(
    "a bad piece of which the store lost a block meanwhile is fetched anew and blames nobody") {
  Verifying v;
  v.lose();
  const Lines lines = v.verdict(v.first, false);
  CHECK(with(lines, "free").size() == 3);
  CHECK(with(lines, "disconnect").empty());
  CHECK(v.rig.bans().size() == 0);
}

}  // namespace
}  // namespace tributary::core
