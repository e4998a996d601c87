// Which peers a plan looks at again (planner_peers.cpp).
#include <doctest/doctest.h>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

TEST_CASE("what one peer says it has is asked of that peer") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s, 5s);
  for (int n = 1; n <= 3; ++n) {
    rig.connect(n);
    rig.say(n, HaveNone{});
    CHECK(with(rig.say(n, Unchoke{}), "request").empty());
  }
  CHECK(with(rig.say(2, Have{PieceIndex(7)}), "request") == Lines{"c2: request 7"});
  CHECK(with(rig.say(3, Have{PieceIndex(7)}), "request").empty());
  // A second one is asked when the first gives it up.
  CHECK(with(rig.reject(2, 7), "request").size() == 1);
}

TEST_CASE("an idle peer is asked for what time alone made late") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 6});
  rig.play(0s, 3s);
  for (int n = 1; n <= 2; ++n) {  // both have all but the last block
    rig.connect(n);
    rig.say(n, BitfieldMessage{{0b11111000}});
    CHECK(with(rig.say(n, Unchoke{}), "request").size() == (n == 1 ? 5 : 0));
  }
  CHECK(!with(rig.pass(3s), "c2: request").empty());
}

TEST_CASE(
    "the last blocks of a download are asked of a second peer, and cancelled where they lose") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 10});
  rig.play(0s, 600s);  // none of it is late
  REQUIRE(with(rig.seed(1), "request").size() == 5);
  REQUIRE(with(rig.seed(2), "request").size() == 5);
  const Lines again = with(rig.seed(3), "request");
  REQUIRE(!again.empty());
  const int block = rig.asked(3).front();
  const std::string owner = block < 5 ? "c1" : "c2";
  CHECK(with(rig.piece(3, block), "cancel") == Lines{owner + ": cancel " + std::to_string(block)});
}

TEST_CASE("a peer that a cancel sets free is asked at once") {
  SwarmRig rig;
  rig.cdn_up();
  rig.seed(1, false);  // without BEP 6 there is no answer to wait for
  rig.play(0s, 5s);
  REQUIRE(with(rig.pass(3s), "fetch") == Lines{"fetch 0-2 rescue"});
  const CdnRequestId rescue = rig.fetches().back().request;
  const Lines lines = rig.cdn_block(rescue, 0);
  CHECK(with(lines, "cancel") == Lines{"c1: cancel 0"});
  CHECK(with(lines, "request").size() == 1);
}

}  // namespace
}  // namespace tributary::core
