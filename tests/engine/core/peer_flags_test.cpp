// The letters that a user sees of a peer, by what it says and does.
#include <doctest/doctest.h>

#include <string>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

// Of the only peer, which came in.
std::string flags(const SwarmRig& rig) {
  REQUIRE(rig.swarm().peers().size() == 1);
  return rig.swarm().peers().front().flags;
}

// The first half is there, and the rest wanted in time: an emergency would choke everybody.
void play_with_ease(SwarmRig& rig) {
  const int blocks = rig.swarm().layout().block_count();
  Bitfield half(blocks);
  for (int b = 0; b < blocks / 2; ++b) half.set(b);
  rig.in(Restored{SwarmRig::kTorrent, half});
  rig.play(0s, 10s);
}

TEST_CASE("flags tell whether we would download of a peer, and may") {
  SwarmRig rig(Policy::peers_only());
  rig.connect(1);
  CHECK(flags(rig) == "I");
  rig.say(1, HaveAll{});
  rig.say(1, Unchoke{});
  CHECK(flags(rig) == "IK");
  rig.play(0s, 10s);
  CHECK(flags(rig) == "DI");
  rig.say(1, Choke{});
  CHECK(flags(rig) == "dI");
}

TEST_CASE("flags tell whether a peer would download of us, and may") {
  SwarmRig rig(Policy::peers_only());
  play_with_ease(rig);
  rig.connect(1);
  rig.say(1, HaveNone{});
  rig.say(1, Interested{});
  CHECK(flags(rig) == "UOI");
  rig.say(1, NotInterested{});
  CHECK(flags(rig) == "I");

  SwarmRig consumer(Policy::peers_only(), {.upload = false});
  consumer.connect(1);
  consumer.say(1, Interested{});
  CHECK(flags(consumer) == "uI");
}

TEST_CASE("who has earned its slot is not shown as optimistic") {
  SwarmRig rig(Policy::peers_only());
  play_with_ease(rig);
  rig.connect(1);
  for (int piece = 30; piece < 60; ++piece) rig.say(1, Have{PieceIndex(piece)});
  rig.say(1, Unchoke{});
  rig.say(1, Interested{});
  CHECK(flags(rig) == "DUOI");
  while (rig.now() < TimePoint(45s)) {
    rig.gives(1, rig.asked(1).front());
    rig.pass(2s);
  }
  CHECK(flags(rig) == "DUI");
}

TEST_CASE("who owes blocks and sends none for a minute is shown as snubbing us") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s, 10s);
  rig.seed(1);
  rig.pass(59s);
  CHECK(flags(rig) == "DI");
  rig.pass(2s);
  CHECK(flags(rig) == "DSI");
  rig.gives(1, 0);
  CHECK(flags(rig) == "DI");
}

}  // namespace
}  // namespace tributary::core
