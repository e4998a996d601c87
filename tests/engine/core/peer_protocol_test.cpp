#include "engine/core/peer_protocol.h"

#include <doctest/doctest.h>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

// Blocks 0 to 9, one by one.
const TrackShape kTen{.blocks = 10};

Lines requests(int n, std::initializer_list<int> blocks) {
  Lines lines;
  for (int b : blocks) lines.push_back("c" + std::to_string(n) + ": request " + std::to_string(b));
  return lines;
}

Lines close(SwarmRig& rig, int n) { return rig.in(PeerClosed{SwarmRig::kTorrent, conn_of(n)}); }

Bitfield stored(int blocks, std::initializer_list<int> had) {
  Bitfield bits(blocks);
  for (int b : had) bits.set(b);
  return bits;
}

// --- greetings ---

TEST_CASE("a greeting says what is had in the shortest way that the peer understands") {
  struct Case {
    Bitfield had;
    bool fast;
    Lines expected;
  };
  const Case cases[] = {
      {Bitfield(10), true, {"c1: hello", "c1: have none"}},
      {Bitfield(10), false, {"c1: hello"}},
      {Bitfield(10, true), true, {"c1: hello", "c1: have all"}},
      {Bitfield(10, true), false, {"c1: hello", "c1: bitfield"}},
      {stored(10, {0, 9}), true, {"c1: hello", "c1: bitfield"}},
      {stored(10, {0, 9}), false, {"c1: hello", "c1: bitfield"}},
  };
  for (const Case& c : cases) {
    SwarmRig rig(Policy::peers_only(), kTen);
    rig.in(Restored{SwarmRig::kTorrent, c.had});
    CHECK(rig.connect(1, c.fast) == c.expected);
  }
}

TEST_CASE("our bitfield begins with the highest bit and its spare bits are clear") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.in(Restored{SwarmRig::kTorrent, stored(10, {0, 2, 7, 9})});
  rig.connect(1);
  const auto* send = std::get_if<Send>(&rig.actions().back());
  REQUIRE(send != nullptr);
  CHECK(send->message == Message(BitfieldMessage{{0b10100001, 0b01000000}}));
}

TEST_CASE("whoever knows no extensions gets no hello") {
  SwarmRig rig(Policy::peers_only(), kTen);
  const Handshake plain{InfoHash{}, peer_id_of(1), false, false, false};
  const Endpoint remote = Endpoint::v4(10, 0, 0, 1, 6881);
  CHECK(rig.in(PeerConnected{SwarmRig::kTorrent, conn_of(1), remote, true, plain}).empty());
}

// --- what the peer has ---

TEST_CASE("interest follows what a peer has and we lack, while something is demanded") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.connect(1);
  CHECK(rig.say(1, HaveNone{}).empty());
  CHECK(rig.say(1, Have{PieceIndex(3)}).empty());  // nothing is demanded
  CHECK(rig.play(0s, 10s) == Lines{"c1: interested"});
  CHECK(rig.say(1, Have{PieceIndex(4)}).empty());
  CHECK(rig.say(1, Have{PieceIndex(4)}).empty());
  CHECK(rig.say(1, Unchoke{}) == requests(1, {3, 4}));
  CHECK(rig.gives(1, 3) == Lines{"verify 3", "store 3"});
  CHECK(rig.gives(1, 4) == Lines{"verify 4", "store 4", "c1: not interested"});
  CHECK(rig.say(1, Have{PieceIndex(3)}).empty());  // had already
  CHECK(rig.say(1, Have{PieceIndex(5)}) == Lines{"c1: interested", "c1: request 5"});
}

TEST_CASE("interest ends with the demand") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 10s);
  rig.connect(1);
  CHECK(rig.say(1, HaveAll{}) == Lines{"c1: interested"});
  CHECK(rig.in(ClearDemand{SwarmRig::kTorrent, SwarmRig::kFile}) == Lines{"c1: not interested"});
}

TEST_CASE("a bitfield of the wrong size, or with spare bits set, ends the connection") {
  const std::vector<std::uint8_t> wrong[] = {
      {}, {0xff}, {0xff, 0xc0, 0}, std::vector<std::uint8_t>(100'000, 0xff), {0, 0x20}, {0, 0x01}};
  for (const auto& bytes : wrong) {
    CAPTURE(bytes.size());
    SwarmRig rig(Policy::peers_only(), kTen);
    rig.play(0s, 10s);
    rig.connect(1);
    rig.say(1, Unchoke{});
    CHECK(rig.say(1, BitfieldMessage{bytes}) == Lines{"c1: disconnect"});
    CHECK(close(rig, 1).empty());
  }
}

TEST_CASE("a later bitfield, have all or have none replaces what the peer said before") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 10s);
  rig.connect(1);
  CHECK(rig.say(1, HaveAll{}) == Lines{"c1: interested"});
  CHECK(rig.say(1, HaveNone{}) == Lines{"c1: not interested"});
  CHECK(rig.say(1, BitfieldMessage{{0x01, 0}}) == Lines{"c1: interested"});
  CHECK(rig.say(1, BitfieldMessage{{0, 0x40}}).empty());
  CHECK(rig.say(1, Unchoke{}) == requests(1, {9}));
  CHECK(rig.say(1, BitfieldMessage{{0, 0}}) == Lines{"c1: not interested"});
}

TEST_CASE("whatever a peer said it had, and how often, it is forgotten when it leaves") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 10s);
  rig.connect(1);
  for (int i = 0; i < 20; ++i) {
    rig.say(1, HaveAll{});
    rig.say(1, Have{PieceIndex(1)});
    rig.say(1, DontHave{PieceIndex(i % 10)});
    rig.say(1, DontHave{PieceIndex(i % 10)});
    for (int p = 0; p < 10; ++p) rig.say(1, Have{PieceIndex(p)});
    rig.say(1, BitfieldMessage{{0xff, 0xc0}});
    rig.say(1, BitfieldMessage{{0x0f, 0x40}});
    if (i % 2 == 0) rig.say(1, HaveNone{});
  }
  CHECK(close(rig, 1).empty());  // its counts are taken out again, which checks that they were in
  rig.connect(2);
  rig.say(2, BitfieldMessage{{0x80, 0}});
  CHECK(rig.say(2, Unchoke{}) == requests(2, {0}));
}

TEST_CASE("who tells its pieces over and over makes them no less rare") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s, 10s);
  const auto bitfield = [](std::initializer_list<int> pieces) {
    std::vector<std::uint8_t> bits(8);
    for (int p : pieces) bits[static_cast<std::size_t>(p / 8)] |= 0x80 >> p % 8;
    return BitfieldMessage{bits};
  };
  for (int n = 1; n <= 4; ++n) rig.connect(n);
  for (int i = 0; i < 5; ++i) rig.say(1, bitfield({40}));
  rig.say(2, bitfield({50}));
  rig.say(3, bitfield({50}));
  rig.say(4, bitfield({40, 50}));
  CHECK(rig.say(4, Unchoke{}) == requests(4, {40, 50}));
}

TEST_CASE("a have for a piece that does not exist ends the connection") {
  for (const int piece : {-1, 10, INT32_MAX, INT32_MIN}) {
    CAPTURE(piece);
    SwarmRig rig(Policy::peers_only(), kTen);
    rig.play(0s, 10s);
    rig.connect(1);
    CHECK(rig.say(1, Have{PieceIndex(piece)}) == Lines{"c1: disconnect"});
  }
}

TEST_CASE("a piece that the peer lost is not asked of it; one it never had changes nothing") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 10s);
  rig.connect(1);
  rig.say(1, HaveAll{});
  for (const int piece : {0, 0, -1, 10, INT32_MAX, INT32_MIN}) {
    CHECK(rig.say(1, DontHave{PieceIndex(piece)}).empty());
  }
  CHECK(rig.say(1, Unchoke{}) == requests(1, {1, 2, 3, 4, 5}));
}

TEST_CASE("a piece that we have is told to those who lack it alone") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 10s);
  rig.connect(2);
  rig.say(2, BitfieldMessage{{0x40, 0}});  // piece 1
  rig.seed(1);
  CHECK(with(rig.gives(1, 0), "have") == Lines{"c2: have 0"});
  CHECK(with(rig.gives(1, 1), "have").empty());
}

TEST_CASE("two clients that have all part, whichever of them was complete first") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 2});
  rig.play(0s, 10s);
  rig.seed(1);
  rig.connect(2);
  rig.say(2, HaveNone{});
  rig.gives(1, 0);
  CHECK(with(rig.gives(1, 1), "disconnect") == Lines{"c1: disconnect"});
  CHECK(rig.say(2, Have{PieceIndex(0)}).empty());
  CHECK(rig.say(2, Have{PieceIndex(1)}) == Lines{"c2: disconnect"});
}

// --- choking ---

TEST_CASE("without BEP 6 a choke ends all requests at once, and they go to others") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  CHECK(rig.seed(1, false) == requests(1, {0, 1, 2, 3, 4}));
  rig.connect(2, false);
  rig.say(2, BitfieldMessage{{0xf8, 0}});  // pieces 0 to 4
  CHECK(rig.say(2, Unchoke{}).empty());
  CHECK(rig.say(1, Choke{}) == requests(2, {0, 1, 2, 3, 4}));
  CHECK(rig.say(1, Unchoke{}) == requests(1, {5, 6, 7, 8, 9}));
}

TEST_CASE("without BEP 6 the requests before a choke are made anew after it") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  CHECK(rig.seed(1, false) == requests(1, {0, 1, 2, 3, 4}));
  CHECK(rig.say(1, Choke{}).empty());
  CHECK(rig.say(1, Choke{}).empty());
  CHECK(rig.say(1, Unchoke{}) == requests(1, {0, 1, 2, 3, 4}));
}

TEST_CASE("with BEP 6 a choke ends no request: each has its own answer, by reject or by piece") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  CHECK(rig.seed(1) == requests(1, {0, 1, 2, 3, 4}));
  rig.connect(2);
  rig.say(2, BitfieldMessage{{0xf8, 0}});
  CHECK(rig.say(2, Unchoke{}).empty());
  CHECK(rig.say(1, Choke{}).empty());
  CHECK(rig.gives(1, 0) == Lines{"verify 0", "store 0"});  // was on its way
  CHECK(rig.swarm().ledger().total().duplicate == 0_B);
  CHECK(rig.reject(1, 1) == requests(2, {1}));
  CHECK(rig.reject(1, 2) == requests(2, {2}));
  CHECK(rig.say(1, Unchoke{}) == requests(1, {5, 6, 7, 8}));  // it still owes 3 and 4
}

TEST_CASE("a piece after a choke that ended its request was not asked for") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  rig.seed(1, false);
  rig.say(1, Choke{});
  CHECK(rig.piece(1, 0) == Lines{"free"});
  CHECK(rig.swarm().ledger().total().duplicate == kBlockSize);
}

TEST_CASE("a choke and an unchoke in turns cost no more requests than were answered") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  CHECK(rig.seed(1).size() == 5);
  for (int i = 0; i < 50; ++i) {
    CHECK(rig.say(1, Choke{}).empty());
    CHECK(rig.say(1, Unchoke{}).empty());
  }
}

TEST_CASE("a reject of what was never asked for is an offence, and too many end the connection") {
  const BlockSpan never[] = {{PieceIndex(9), 0_B, kBlockSize},
                             {PieceIndex(-1), 0_B, kBlockSize},
                             {PieceIndex(10), 0_B, kBlockSize},
                             {PieceIndex(0), 1_B, kBlockSize},
                             {PieceIndex(INT32_MAX), Bytes(0xffffffff), 0_B}};
  for (const BlockSpan& span : never) {
    SwarmRig rig(Policy::peers_only(), kTen);
    rig.play(0s, 30s);
    rig.seed(1);
    for (int i = 0; i < kMaxOffences; ++i) REQUIRE(rig.say(1, RejectRequest{span}).empty());
    CHECK(rig.say(1, RejectRequest{span}) == Lines{"c1: disconnect"});
    CHECK(rig.asked(1).size() == 5);  // and its requests stand
  }
}

TEST_CASE("a second reject of one request is one too many") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  rig.seed(1);
  rig.say(1, Choke{});
  CHECK(rig.reject(1, 0).empty());
  for (int i = 0; i < kMaxOffences; ++i) REQUIRE(rig.reject(1, 0).empty());
  CHECK(rig.reject(1, 0) == Lines{"c1: disconnect"});
}

// --- late answers ---

Lines clear(SwarmRig& rig) { return rig.in(ClearDemand{SwarmRig::kTorrent, SwarmRig::kFile}); }

TEST_CASE("a late answer to a cancelled request is not taken for that of the request after it") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  CHECK(rig.seed(1) == requests(1, {0, 1, 2, 3, 4}));
  CHECK(with(clear(rig), "cancel").size() == 5);
  CHECK(with(rig.play(0s, 30s), "request").empty());
  REQUIRE(with(rig.pass(kCancelAnswerTime), "request") == requests(1, {0}));
  CHECK(with(rig.reject(1, 0), "request 0").empty());
  CHECK(with(rig.piece(1, 0), "verify") == Lines{"verify 0"});
}

TEST_CASE("a block that comes after its request was given up is taken where it is missing") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  rig.seed(1, false);
  clear(rig);
  rig.pass(kCancelAnswerTime);
  rig.say(1, Choke{});
  rig.play(0s, 30s);
  CHECK(rig.piece(1, 0) == Lines{"verify 0"});
  CHECK(rig.piece(1, 0) == Lines{"free"});  // once
}

// --- time ---

TEST_CASE("a connection that was silent for 100 s is kept alive") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.connect(1);
  CHECK(rig.pass(kKeepAliveInterval - 1us).empty());
  CHECK(rig.pass(1us) == Lines{"c1: keep-alive"});
  rig.pass(50s);
  rig.play(0s);
  CHECK(rig.say(1, HaveAll{}) == Lines{"c1: interested"});  // which says that we live, too
  CHECK(with(rig.pass(kKeepAliveInterval - 1us), "keep-alive").empty());
  CHECK(with(rig.pass(200ms), "keep-alive") == Lines{"c1: keep-alive"});
}

TEST_CASE("a peer that was asked and is silent for 5 s loses its requests to others") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 60s);
  CHECK(rig.seed(1) == requests(1, {0, 1, 2, 3, 4}));
  CHECK(rig.pass(kStallTime - 1us).empty());
  const Lines lines = rig.pass(1us);
  CHECK(with(lines, "cancel") ==
        Lines{"c1: cancel 0", "c1: cancel 1", "c1: cancel 2", "c1: cancel 3", "c1: cancel 4"});
  rig.connect(2);
  rig.say(2, HaveAll{});
  CHECK(rig.say(2, Unchoke{}) == requests(2, {0, 1, 2, 3, 4}));
}

TEST_CASE("a peer that delivers in time keeps its requests") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 60s);
  rig.seed(1);
  Lines lines;
  for (int b = 0; b < 5; ++b) {
    for (const std::string& line : rig.pass(kStallTime - 1us)) lines.push_back(line);
    for (const std::string& line : rig.gives(1, b)) lines.push_back(line);
  }
  CHECK(with(lines, "cancel").empty());
}

// --- strangers ---

TEST_CASE("messages of connections that are not there are passed over") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  const Message messages[] = {KeepAlive{},        Choke{},         Unchoke{},
                              Interested{},       NotInterested{}, Have{PieceIndex(0)},
                              BitfieldMessage{},  HaveAll{},       HaveNone{},
                              Request{},          Cancel{},        RejectRequest{},
                              SuggestPiece{},     AllowedFast{},   DontHave{},
                              HashRequest{},      Hashes{},        HashReject{},
                              ExtendedHandshake{}};
  for (const Message& message : messages) CHECK(rig.say(9, message).empty());
  CHECK(close(rig, 9).empty());
}

TEST_CASE("suggestions and keep-alives are heard and change nothing") {
  SwarmRig rig(Policy::peers_only(), kTen);
  rig.play(0s, 30s);
  rig.connect(1);
  rig.say(1, HaveAll{});
  for (const int piece : {9, -1, INT32_MAX}) {
    CHECK(rig.say(1, SuggestPiece{PieceIndex(piece)}).empty());
  }
  CHECK(rig.say(1, KeepAlive{}).empty());
  CHECK(rig.say(1, Unchoke{}) == requests(1, {0, 1, 2, 3, 4}));
}

}  // namespace
}  // namespace tributary::core
