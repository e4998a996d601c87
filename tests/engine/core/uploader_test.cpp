#include "engine/core/uploader.h"

#include <doctest/doctest.h>

#include "engine/core/peer_protocol.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

// A client that has blocks 0 to 9 and serves peer 1, who is interested and unchoked.
struct ServingRig : SwarmRig {
  explicit ServingRig(bool fast, const TrackShape& shape = {})
      : SwarmRig(Policy::peers_only(), shape) {
    Bitfield stored(swarm().layout().block_count());
    for (int b = 0; b < 10; ++b) stored.set(b);
    in(Restored{kTorrent, stored});
    connect(1, fast);
    CHECK(say(1, Interested{}) == Lines{"c1: unchoke"});
  }
};

BlockSpan span(int block) { return {PieceIndex(block), 0_B, kBlockSize}; }
BlockSpan span(int piece, Bytes begin, Bytes length) { return {PieceIndex(piece), begin, length}; }

Lines ask(SwarmRig& rig, int block) { return rig.say(1, Request{span(block)}); }
Lines cancel(SwarmRig& rig, int block) { return rig.say(1, Cancel{span(block)}); }
Lines sent(SwarmRig& rig, int block, bool read = true) {
  return rig.in(BlockSent{SwarmRig::kTorrent, conn_of(1), span(block), read});
}
// Until the choker's next turn.
Lines choked(SwarmRig& rig) {
  Lines lines = rig.say(1, NotInterested{});
  for (const std::string& line : rig.pass(10s)) lines.push_back(line);
  return lines;
}

TEST_CASE("four blocks are handed to the host at once; each that is sent makes room for the next") {
  ServingRig rig(true);
  for (int b = 0; b < 4; ++b) CHECK(ask(rig, b) == Lines{"c1: block " + std::to_string(b)});
  for (int b = 4; b < 6; ++b) CHECK(ask(rig, b).empty());
  CHECK(sent(rig, 0) == Lines{"c1: block 4"});
  CHECK(sent(rig, 1) == Lines{"c1: block 5"});
  CHECK(sent(rig, 2).empty());
}

TEST_CASE("bytes count as uploaded when they are sent, not when they are asked for") {
  ServingRig rig(true);
  ask(rig, 0);
  ask(rig, 1);
  CHECK(rig.swarm().ledger().total().uploaded == 0_B);
  sent(rig, 0);
  sent(rig, 1, false);
  CHECK(rig.swarm().ledger().total().uploaded == kBlockSize);
}

TEST_CASE("whoever is choked is refused, without BEP 6 in silence") {
  for (const bool fast : {true, false}) {
    SwarmRig rig(Policy::peers_only());
    rig.in(Restored{SwarmRig::kTorrent, Bitfield(60, true)});
    rig.connect(1, fast);
    CHECK(ask(rig, 3) == (fast ? Lines{"c1: reject 3"} : Lines{}));
    CHECK(rig.say(1, Interested{}) == Lines{"c1: unchoke"});  // and it was not kept for later
  }
}

TEST_CASE("a choke refuses what waits, without BEP 6 in silence; what is on its way still goes") {
  for (const bool fast : {true, false}) {
    ServingRig rig(fast);
    for (int b = 0; b < 7; ++b) ask(rig, b);
    Lines expected{"c1: choke"};
    if (fast) expected.insert(expected.end(), {"c1: reject 4", "c1: reject 5", "c1: reject 6"});
    CHECK(choked(rig) == expected);
    for (int b = 0; b < 4; ++b) CHECK(sent(rig, b).empty());
    CHECK(rig.swarm().ledger().total().uploaded == 4 * kBlockSize);
  }
}

TEST_CASE("a cancel takes back what waits, and is too late for what is on its way") {
  for (const bool fast : {true, false}) {
    ServingRig rig(fast);
    for (int b = 0; b < 6; ++b) ask(rig, b);
    CHECK(cancel(rig, 0).empty());
    CHECK(cancel(rig, 4) == (fast ? Lines{"c1: reject 4"} : Lines{}));
    CHECK(cancel(rig, 4).empty());
    CHECK(sent(rig, 0) == Lines{"c1: block 5"});
  }
}

TEST_CASE("a cancel of what was never asked for is no answer's cause") {
  ServingRig rig(true);
  CHECK(cancel(rig, 3).empty());
  CHECK(rig.say(1, Cancel{span(-1, Bytes(-1), 0_B)}).empty());
}

TEST_CASE("a block asked for twice is sent twice: each request has its answer") {
  ServingRig rig(true);
  CHECK(ask(rig, 2) == Lines{"c1: block 2"});
  CHECK(ask(rig, 2) == Lines{"c1: block 2"});
}

TEST_CASE("requests for what is not there are refused") {
  ServingRig rig(true, {.blocks = 42, .blocks_per_piece = 4, .v1 = true, .v2 = false});
  const Bytes most(0xffffffff);  // of a field on the wire
  const BlockSpan absurd[] = {
      span(-1, 0_B, kBlockSize),   span(11, 0_B, kBlockSize),  // outside the torrent
      span(INT32_MAX, 0_B, 1_B),   span(INT32_MIN, 0_B, 1_B), span(0, Bytes(-1), kBlockSize),
      span(0, 0_B, 0_B),           span(0, 0_B, Bytes(-1)),   span(0, most, most),
      span(0, 0_B, 128_KiB + 1_B), span(0, 64_KiB, 1_B),  // behind the piece's end
      span(0, 64_KiB - 1_B, 2_B),  span(10, 32_KiB, 1_B),     span(2, 16_KiB, 16_KiB + 1_B),
      span(2, 32_KiB, 1_B),  // blocks 10 and 11 are not had
      span(9, 0_B, kBlockSize)};
  for (const BlockSpan& s : absurd) {
    CAPTURE(s.piece.value());
    CAPTURE(s.begin.count());
    CAPTURE(s.length.count());
    const Lines lines = rig.say(1, Request{s});
    REQUIRE(lines.size() == 1);
    const auto* send = std::get_if<Send>(&rig.actions().front());
    REQUIRE(send != nullptr);
    CHECK(send->message == Message(RejectRequest{s}));
  }
}

TEST_CASE("a request may begin and end within blocks, and cover several that are had") {
  ServingRig rig(true, {.blocks = 42, .blocks_per_piece = 4, .v1 = true, .v2 = false});
  for (const BlockSpan& s : {span(0, 5_B, 40_KiB), span(0, 0_B, 64_KiB), span(2, 0_B, 32_KiB)}) {
    CHECK(rig.say(1, Request{s}).size() == 1);
    const auto* block = std::get_if<SendBlock>(&rig.actions().front());
    REQUIRE(block != nullptr);
    CHECK(block->span == s);
    rig.in(BlockSent{SwarmRig::kTorrent, conn_of(1), s, true});
  }
  CHECK(rig.swarm().ledger().total().uploaded == 40_KiB + 64_KiB + 32_KiB);
}

TEST_CASE("128 KiB are sent at a time, and no byte more") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 32, .blocks_per_piece = 16});
  rig.in(Restored{SwarmRig::kTorrent, Bitfield(32, true)});
  rig.connect(1);
  rig.say(1, Interested{});
  CHECK(rig.say(1, Request{span(0, 0_B, 128_KiB)}) == Lines{"c1: block 0"});
  CHECK(rig.say(1, Request{span(0, 0_B, 128_KiB + 1_B)}) == Lines{"c1: reject 0"});
}

TEST_CASE("a block that is lost while its request waits is refused at its turn") {
  ServingRig rig(true);
  for (int b = 0; b < 6; ++b) ask(rig, b);
  rig.in(BlocksLost{SwarmRig::kTorrent, {BlockIndex(4), BlockIndex(5)}});
  CHECK(sent(rig, 0) == Lines{"c1: reject 4", "c1: block 5"});
}

TEST_CASE("a block that cannot be read is refused, and the next one goes out") {
  for (const bool fast : {true, false}) {
    ServingRig rig(fast);
    for (int b = 0; b < 5; ++b) ask(rig, b);
    const Lines expected = fast ? Lines{"c1: reject 0", "c1: block 4"} : Lines{"c1: block 4"};
    CHECK(sent(rig, 0, false) == expected);
  }
}

TEST_CASE("beyond our queue requests are refused, and whoever keeps on is sent away") {
  ServingRig rig(true);
  for (int i = 0; i < 4; ++i) CHECK(ask(rig, 0) == Lines{"c1: block 0"});
  for (int i = 0; i < kOurRequestQueue; ++i) REQUIRE(ask(rig, 1).empty());
  for (int i = 0; i < kMaxOffences; ++i) REQUIRE(ask(rig, 2) == Lines{"c1: reject 2"});
  CHECK(ask(rig, 2) == Lines{"c1: reject 2", "c1: disconnect"});
}

TEST_CASE("of a peer that left nothing more is sent, and what was sent to it hurts nobody") {
  ServingRig rig(true);
  for (int b = 0; b < 6; ++b) ask(rig, b);
  CHECK(rig.in(PeerClosed{SwarmRig::kTorrent, conn_of(1)}).empty());
  CHECK(sent(rig, 0).empty());
  CHECK(rig.pass(10s).empty());
}

TEST_CASE("when peers are to be served no longer, who was is choked at once") {
  ServingRig rig(true);
  ask(rig, 0);
  rig.swarm().set_conduct(Policy::peers_only(), false, rig.now());
  CHECK(rig.drain() == Lines{"c1: choke"});
  CHECK(with(ask(rig, 1), "block").empty());
  rig.swarm().set_conduct(Policy::peers_only(), true, rig.now());
  CHECK(rig.drain() == Lines{"c1: unchoke"});
}

}  // namespace
}  // namespace tributary::core
