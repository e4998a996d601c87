// The extensions of the peer protocol: allowed pieces (BEP 6), hashes (BEP 52), hellos (BEP 10).
#include <doctest/doctest.h>

#include "engine/core/peer_protocol.h"
#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

// Blocks 0 to 9, one by one.
const TrackShape kTen{.blocks = 10};
const TrackShape kThreePieces{.blocks = 12, .blocks_per_piece = 4, .v1 = true, .v2 = true};

Lines requests(int n, std::initializer_list<int> blocks) {
  Lines lines;
  for (int b : blocks) lines.push_back("c" + std::to_string(n) + ": request " + std::to_string(b));
  return lines;
}

// --- allowed fast ---

TEST_CASE("a choking peer is asked for the pieces that it allows, and for no other") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.connect(1);
  rig.say(1, HaveAll{});
  rig.say(1, AllowedFast{PieceIndex(2)});
  rig.say(1, AllowedFast{PieceIndex(7)});
  CHECK(rig.play(0s, 30s) == Lines{"c1: interested", "c1: request 2", "c1: request 7"});
  CHECK(rig.gives(1, 2) == Lines{"verify 2", "store 2"});
}

TEST_CASE("a piece that is allowed but not had is not asked for") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.connect(1);
  rig.say(1, BitfieldMessage{{0x80, 0}});
  rig.say(1, AllowedFast{PieceIndex(2)});
  CHECK(rig.play(0s, 30s) == Lines{"c1: interested"});
}

TEST_CASE("of a flood of allowed pieces only the first are remembered") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 2000});
  rig.connect(1);
  rig.say(1, HaveAll{});
  for (int p = 1999; p >= 0; --p) REQUIRE(rig.say(1, AllowedFast{PieceIndex(p)}).empty());
  rig.play(0s, 30s);
  REQUIRE(rig.asked(1).size() == 5);
  for (const int b : rig.asked(1)) CHECK(b >= 2000 - 64);
}

TEST_CASE("a piece that is allowed over and over takes no place from another") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.connect(1);
  rig.say(1, HaveAll{});
  for (int i = 0; i < 64; ++i) rig.say(1, AllowedFast{PieceIndex(2)});
  rig.say(1, AllowedFast{PieceIndex(7)});
  CHECK(with(rig.play(0s, 30s), "request") == requests(1, {2, 7}));
}

TEST_CASE("allowed pieces that do not exist are offences") {
  for (const int piece : {-1, 10, INT32_MAX, INT32_MIN}) {
    SwarmRig rig(Policy::peers_only(), kTen);
    rig.connect(1);
    for (int i = 0; i < kMaxOffences; ++i)
      REQUIRE(rig.say(1, AllowedFast{PieceIndex(piece)}).empty());
    CHECK(rig.say(1, AllowedFast{PieceIndex(piece)}) == Lines{"c1: disconnect"});
  }
}

TEST_CASE("a peer that allows a piece, chokes, and rejects it is not asked for it for ever") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.connect(1);
  rig.say(1, HaveAll{});
  rig.say(1, AllowedFast{PieceIndex(2)});
  REQUIRE(with(rig.play(0s, 30s), "request") == requests(1, {2}));
  CHECK(rig.reject(1, 2).empty());
  CHECK(rig.pass(1s).empty());
  CHECK(rig.say(1, Unchoke{}) == requests(1, {0, 1, 2, 3, 4}));
}

// --- hashes ---

// Peer 1 is unchoking, speaks v2, and was asked for the leaves of the first pieces.
struct HashesRig : SwarmRig {
  HashesRig() : SwarmRig(Policy::peers_only(), kThreePieces) {
    play(0s, 30s);
    connect(1, true, true);
    say(1, HaveAll{});
    say(1, Unchoke{});
    for (const Action& action : actions()) {
      const auto* send = std::get_if<Send>(&action);
      const auto* request = send ? std::get_if<HashRequest>(&send->message) : nullptr;
      if (request && request->span.index == 0) asked_span = request->span;
    }
  }

  HashSpan asked_span{};  // of the first piece
};

TEST_CASE("leaves are asked for by piece, without proofs") {
  CHECK(HashesRig().asked_span == HashSpan{hash_of(255), 0, 0, 4, 0});
}

TEST_CASE("hashes that were not asked for are not looked at, and too many end the connection") {
  HashesRig rig;
  const HashSpan spans[] = {{hash_of(9), 0, 0, 4, 0},    // of no file
                            {hash_of(255), 1, 0, 4, 0},  // another layer
                            {hash_of(255), 0, 8, 4, 0},  // another piece
                            {hash_of(255), 0, 0, 8, 0},  // more than asked for
                            {hash_of(255), 0, 0, 4, 3},  // with proofs
                            {hash_of(255), 0, UINT32_MAX, UINT32_MAX, UINT32_MAX}};
  int told = 0;
  for (; told < kMaxOffences; ++told) {
    const HashSpan& span = spans[told % 6];
    REQUIRE(rig.say(1, Hashes{span, {hash_of(1), hash_of(2), hash_of(3), hash_of(4)}}).empty());
  }
  CHECK(rig.say(1, Hashes{spans[0], {}}) == Lines{"c1: disconnect"});
}

TEST_CASE("an answer is looked at once, whatever it holds; a second is an offence") {
  HashesRig rig;
  const std::vector<Sha256> many(8192, hash_of(1));
  CHECK(rig.say(1, Hashes{rig.asked_span, many}) == Lines{"verify hashes of piece 0"});
  CHECK(rig.say(1, Hashes{rig.asked_span, many}).empty());
  CHECK(rig.in(HashesVerified{SwarmRig::kTorrent, conn_of(1), PieceIndex(0), {}}) ==
        Lines{"c1: disconnect"});
}

TEST_CASE("an empty answer goes to the host like any other, and ends the connection") {
  HashesRig rig;
  CHECK(rig.say(1, Hashes{rig.asked_span, {}}) == Lines{"verify hashes of piece 0"});
  CHECK(rig.in(HashesVerified{SwarmRig::kTorrent, conn_of(1), PieceIndex(0), {}}) ==
        Lines{"c1: disconnect"});
}

TEST_CASE("a peer that has no hashes is not asked for the same ones again") {
  HashesRig rig;
  CHECK(rig.say(1, HashReject{rig.asked_span}).empty());
  CHECK(rig.say(1, HashReject{HashSpan{}}).empty());
  for (int b = 0; b < 3; ++b) {
    rig.piece(1, b);
    for (const Action& action : rig.actions()) {
      const auto* send = std::get_if<Send>(&action);
      CHECK_FALSE((send && send->message == Message(HashRequest{rig.asked_span})));
    }
  }
}

TEST_CASE("a hash request is passed to the host, as it is") {
  SwarmRig rig(Policy::peers_only(), kThreePieces);
  rig.connect(1, true, true);
  const HashSpan span{hash_of(7), 9, UINT32_MAX, UINT32_MAX, 99};
  CHECK(rig.say(1, HashRequest{span}) == Lines{"c1: serve hashes"});
  CHECK(std::get<ServeHashes>(rig.actions().front()).span == span);
}

// --- extension handshakes ---

TEST_CASE("a queue of requests that no client has is brought into bounds") {
  for (const int queue : {0, -1, INT32_MIN}) {
    SwarmRig rig(Policy::peers_only(), kTen);
    rig.play(0s, 30s);
    rig.connect(1);
    ExtendedHandshake hello;
    hello.request_queue = queue;
    rig.say(1, hello);
    rig.say(1, HaveAll{});
    CHECK(rig.say(1, Unchoke{}) == requests(1, {0}));
  }
  SwarmRig rig(Policy::peers_only(), {.blocks = 4000});
  rig.play(0s, 30s);
  rig.connect(1);
  ExtendedHandshake hello;
  hello.request_queue = INT32_MAX;
  rig.say(1, hello);
  rig.say(1, HaveAll{});
  rig.say(1, Unchoke{});
  for (int b = 0; b < 3000; ++b) {  // without end and without delay
    rig.gives(1, b);
    REQUIRE(rig.asked(1).size() <= 512);
  }
}

TEST_CASE("a peer that only uploads gets no slot, until it says otherwise") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.in(Restored{SwarmRig::kTorrent, Bitfield(10, true)});
  rig.connect(1);
  rig.say(1, HaveNone{});
  ExtendedHandshake hello;
  hello.upload_only = true;
  rig.say(1, hello);
  CHECK(rig.say(1, Interested{}).empty());
  hello.upload_only = false;
  rig.say(1, hello);
  rig.say(1, NotInterested{});
  CHECK(rig.say(1, Interested{}) == Lines{"c1: unchoke"});
}

TEST_CASE("an absent key of a later hello changes nothing") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  rig.connect(1);
  ExtendedHandshake hello;
  hello.request_queue = 2;
  rig.say(1, hello);
  for (int i = 0; i < 100; ++i) REQUIRE(rig.say(1, ExtendedHandshake{}).empty());
  rig.say(1, HaveAll{});
  CHECK(rig.say(1, Unchoke{}) == requests(1, {0, 1}));
}

TEST_CASE("only who understands it is told of a piece that we lost") {
  SwarmRig rig(Policy::peers_only(), kTen);
  Bitfield stored(10);
  stored.set(3);
  rig.in(Restored{SwarmRig::kTorrent, stored});
  rig.connect(1);
  rig.connect(2);
  ExtendedHandshake hello;
  hello.dont_have = true;
  rig.say(2, hello);
  CHECK(rig.in(BlocksLost{SwarmRig::kTorrent, {BlockIndex(3), BlockIndex(4)}}) ==
        Lines{"c2: dont have 3"});
}

}  // namespace
}  // namespace tributary::core
