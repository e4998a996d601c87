#include "engine/core/planner.h"

#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <set>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

TEST_CASE("a start asks exactly the head of the CDN, and peers nothing until it is in hand") {
  SwarmRig rig;
  rig.cdn_up();
  CHECK(with(rig.seed(1), "request").empty());
  CHECK(rig.start() == Lines{"c1: interested", "may start", "fetch 0-2 startup"});
  const CdnRequestId head = rig.fetches().back().request;
  CHECK(rig.cdn_block(head, 0) == Lines{"verify 0"});
  CHECK(rig.verified(0) == Lines{"store 0"});
  CHECK(rig.cdn_block(head, 1) == Lines{"verify 1"});
  CHECK(rig.verified(1) == Lines{"store 1", "c1: request 2", "c1: request 3", "c1: request 4",
                                 "c1: request 5", "c1: request 6"});
  CHECK(rig.in(CdnEnded{SwarmRig::kTorrent, head}).empty());
  CHECK(rig.pass(10ms).empty());
}

TEST_CASE("the head of a start ends with a whole page") {
  SwarmRig rig;
  rig.cdn_up();
  const Bytes size = rig.swarm().metainfo().info.files[0].length;
  rig.in(SetTimeline{SwarmRig::kTorrent, FileIndex(0),
                     ByteTimeMap::from_points(size, 40s, {{2100ms, 2 * kBlockSize + 1_B}})});
  CHECK(with(rig.start(), "fetch") == Lines{"fetch 0-3 startup"});
}

TEST_CASE("what lies behind a byte on its way to the demuxer is not asked for with it") {
  SwarmRig rig;
  rig.cdn_up();
  CHECK(with(rig.start(), "fetch") == Lines{"fetch 0-2 startup"});
  CHECK(with(rig.in(ReaderWaits{SwarmRig::kTorrent, {0_B, 64_KiB}}), "fetch").empty());
  CHECK(with(rig.in(ReaderWaits{SwarmRig::kTorrent, {32_KiB, 96_KiB}}), "fetch") ==
        Lines{"fetch 2-6 startup"});
}

TEST_CASE("a block that no peer has is asked of the CDN at its low mark, up to the high mark") {
  SwarmRig rig;
  rig.cdn_up();
  rig.connect(1);
  rig.say(1, HaveNone{});
  rig.play(0s, 10s);  // block b is due at 10 s + b
  // Low 4 s before the last safe moment, 500 ms before the deadline: 10 - 4 - 0.5.
  CHECK(with(rig.pass(5500ms - 1us), "fetch").empty());
  // Up to what is due within 8 s from then: blocks due at 10, 11, 12, 13.
  CHECK(with(rig.pass(1us), "fetch") == Lines{"fetch 0-4 no_peer"});
  rig.cdn_delivers();
  CHECK(with(rig.pass(4s - 1us), "fetch").empty());
  CHECK(with(rig.pass(1us), "fetch") == Lines{"fetch 4-8 no_peer"});
}

TEST_CASE("alone in the swarm, the CDN is asked ten seconds ahead, for twenty") {
  SwarmRig rig;
  rig.cdn_up();
  rig.play(0s, 20s);
  CHECK(with(rig.pass(9500ms - 1us), "fetch").empty());
  CHECK(with(rig.pass(1us), "fetch") == Lines{"fetch 0-10 no_peer"});
}

TEST_CASE("a block that a choking peer has is asked of the CDN at its last safe moment") {
  SwarmRig rig;
  rig.cdn_up();
  rig.connect(1);
  rig.say(1, HaveAll{});
  rig.play(0s, 5s);
  // Deadline 5 s - first byte 0.5 s - margin 1.5 s.
  CHECK(with(rig.pass(3s - 1us), "fetch").empty());
  // Neighbours that become urgent within a second join.
  CHECK(with(rig.pass(1us), "fetch") == Lines{"fetch 0-2 urgent"});
  rig.cdn_delivers();
  CHECK(with(rig.pass(2s - 1us), "fetch").empty());
  CHECK(with(rig.pass(1us), "fetch") == Lines{"fetch 2-4 urgent"});
}

TEST_CASE("a peer that delivers in time keeps the CDN out of it") {
  SwarmRig rig;
  rig.cdn_up();
  rig.seed(1);
  rig.play(0s, 5s);
  int next = 0;
  Lines all;
  for (int i = 0; i < 600 && next < 60; ++i) {  // one block every 100 ms
    for (const std::string& line : rig.pass(100ms)) all.push_back(line);
    const Bitfield asked = rig.swarm().asked_of_peers();
    next = asked.find_next(0);
    if (next == Bitfield::kNone) break;
    for (const std::string& line : rig.gives(1, next)) all.push_back(line);
  }
  CHECK(rig.swarm().have_blocks().all());
  CHECK(with(all, "fetch").empty());
  CHECK(rig.swarm().ledger().total().cdn() == 0_B);
}

TEST_CASE("a late peer's block is rescued by the CDN, and the loser gets a cancel") {
  SwarmRig rig;
  rig.cdn_up();
  rig.seed(1);
  CHECK(with(rig.play(0s, 5s), "request 0") == Lines{"c1: request 0"});
  // Unmeasured and silent, it counts as slower from moment to moment.
  const Lines lines = rig.pass(3s);
  REQUIRE(with(lines, "fetch") == Lines{"fetch 0-2 rescue"});
  const CdnRequestId rescue = rig.fetches().back().request;
  CHECK(rig.cdn_block(rescue, 0) == Lines{"c1: cancel 0", "verify 0"});
  CHECK(with(rig.verified(0), "store") == Lines{"store 0"});
  // BEP 6: the answer to the cancelled request.
  CHECK(with(rig.reject(1, 0), "store").empty());
  CHECK(rig.swarm().ledger().total().duplicate == 0_B);
}

TEST_CASE("the peer wins the race when it comes first, and the CDN's copy is a duplicate") {
  SwarmRig rig;
  rig.cdn_up();
  rig.seed(1);
  rig.play(0s, 5s);
  rig.pass(3s);
  const CdnRequestId rescue = rig.fetches().back().request;
  CHECK(with(rig.gives(1, 0), "store") == Lines{"store 0"});
  CHECK(rig.cdn_block(rescue, 0) == Lines{"free"});
  const ByteCounts counts = rig.swarm().ledger().total();
  CHECK(counts.duplicate == kBlockSize);
  CHECK(counts.cdn_duplicate[CdnReason::kRescue] == kBlockSize);
}

TEST_CASE("a CDN request is cancelled once peers have brought all that it was for") {
  SwarmRig rig;
  rig.cdn_up();
  rig.seed(1);
  rig.play(0s, 5s);
  REQUIRE(with(rig.pass(3s), "fetch") == Lines{"fetch 0-2 rescue"});
  CHECK(with(rig.gives(1, 0), "cancel fetch").empty());
  CHECK(with(rig.gives(1, 1), "cancel fetch").size() == 1);
  CHECK(rig.swarm().asked_of_cdn().none());
}

TEST_CASE("what the demuxer waits for is left to a peer that brings it before the CDN could") {
  SwarmRig rig;
  rig.cdn_up();
  rig.seed(1);
  rig.play(0s, 30s);
  for (int b = 0; b < 8; ++b) {  // 10 ms a block; the CDN needs 500 ms for its first byte
    rig.pass(10ms);
    rig.gives(1, rig.asked(1).front());
  }
  const int next = rig.asked(1).front();
  const Bytes at = kBlockSize * next;
  CHECK(with(rig.in(ReaderWaits{SwarmRig::kTorrent, {at, at + 1_B}}), "fetch").empty());
  // The peer falls silent: it is not waited for.
  CHECK(with(rig.pass(100ms), "fetch") == Lines{"fetch " + std::to_string(next) + " urgent"});
}

TEST_CASE("a block behind one that a peer has is still asked for at its own low mark") {
  SwarmRig rig;
  rig.cdn_up();
  rig.connect(1);
  std::vector<std::uint8_t> bits(8, 0xff);
  bits[0] = 0b11111100;  // pieces 6 and 7 nobody has
  bits[7] = 0xf0;        // 60 pieces
  rig.say(1, BitfieldMessage{bits});
  rig.say(1, Unchoke{});
  rig.play(0s, 5s);
  for (int b = 0; b < 5; ++b) rig.gives(1, b);
  // Block 6 is due at 11 s: 11 - 0.5 - 4. Block 5 stays with the peer until long after.
  for (int second = 0; second < 6; ++second) {
    CHECK(with(rig.pass(1s), "no_peer").empty());
    rig.gives(1, rig.asked(1).back());
  }
  CHECK(with(rig.pass(500ms - 1us), "no_peer").empty());
  CHECK(with(rig.pass(1us), "no_peer") == Lines{"fetch 6-8 no_peer"});
}

TEST_CASE("blocks that become rare by a peer that goes or loses them are asked for earlier") {
  for (const bool closes : {true, false}) {
    CAPTURE(closes);
    SwarmRig rig;
    rig.cdn_up();
    rig.connect(1);
    rig.say(1, HaveNone{});
    rig.connect(2);
    rig.say(2, Have{PieceIndex(0)});
    rig.play(0s, 10s);
    CHECK(with(rig.pass(6s), "fetch 0").empty());
    const Lines lines = closes ? rig.in(PeerClosed{SwarmRig::kTorrent, conn_of(2)})
                               : rig.say(2, DontHave{PieceIndex(0)});
    CHECK(with(lines, "fetch").size() == 1);
  }
}

TEST_CASE("beyond the urgent window the rarest piece goes first") {
  SwarmRig rig;
  rig.cdn_up();
  for (int n = 2; n < 6; ++n) {
    rig.connect(n);
    std::vector<std::uint8_t> bits(8, 0xff);
    bits[7] = 0xf0;
    bits[5] = 0b11110111;  // piece 44 is only with peer 1
    rig.say(n, BitfieldMessage{bits});
  }
  rig.seed(1);
  rig.play(0s, 100ms);  // what is urgent is too late for anyone who needs 260 ms a block
  for (int b = 0; b < 13; ++b) rig.piece(1, b);
  const Lines lines = rig.pass(1s);
  const Bitfield asked = rig.swarm().asked_of_peers();
  CHECK((asked.test(44) || rig.swarm().have_blocks().test(44)));
}

TEST_CASE("a partial peer's rarest pieces are found among many that nobody has") {
  const Policy policy = Policy::peers_only();
  SwarmRig rig(policy, {.blocks = 3000});
  const auto bitfield = [](std::initializer_list<std::pair<int, int>> ranges) {
    std::vector<std::uint8_t> bits(375);
    for (const auto& [from, to] : ranges) {
      for (int i = from; i < to; ++i) bits[static_cast<std::size_t>(i / 8)] |= 0x80 >> i % 8;
    }
    return BitfieldMessage{bits};
  };
  for (int n = 2; n < 5; ++n) {
    rig.connect(n);
    rig.say(n, bitfield({{1000, 1100}}));
  }
  rig.connect(1);
  rig.say(1, bitfield({{1000, 1100}, {2500, 2505}}));
  rig.play(0s);
  Lines lines = rig.say(1, Unchoke{});
  std::set<std::string> asked;
  for (const std::string& line : with(lines, "request")) asked.insert(line);
  CHECK(asked == std::set<std::string>{"c1: request 2500", "c1: request 2501", "c1: request 2502",
                                       "c1: request 2503", "c1: request 2504"});
}

TEST_CASE("at least five requests are kept with a peer, and no more than two seconds of its work") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s);
  CHECK(with(rig.seed(1), "request").size() == 5);
  for (int i = 0; i < 20; ++i) {  // 50 ms a block: 40 blocks are two seconds of work
    rig.pass(50ms);
    rig.gives(1, rig.swarm().asked_of_peers().find_next(0));
    const auto in_flight = rig.swarm().asked_of_peers().count();
    CHECK(in_flight >= 5);
    CHECK(in_flight <= 40);
  }
  CHECK(rig.swarm().asked_of_peers().count() > 5);  // bandwidth x delay: 250 ms and a latency
}

TEST_CASE("one pause does not cost a fast peer its pipeline, staying slow does") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 600});
  rig.play(0s);
  rig.seed(1);
  const auto give_next = [&] {
    return with(rig.gives(1, rig.swarm().asked_of_peers().find_next(0)), "cancel");
  };
  for (int i = 0; i < 300; ++i) {
    rig.pass(1ms);
    CHECK(give_next().empty());
  }
  CHECK(rig.swarm().asked_of_peers().count() > 100);
  const auto after_a_pause = [&] {
    Lines lines = with(rig.pass(100ms), "cancel");
    for (std::string& line : give_next()) lines.push_back(std::move(line));
    return lines;
  };
  for (int i = 0; i < 3; ++i) CHECK(after_a_pause().empty());
  CHECK_FALSE(after_a_pause().empty());
}

TEST_CASE("a peer's own limit of requests is respected") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s);
  rig.connect(1);
  ExtendedHandshake hello;
  hello.request_queue = 2;
  rig.say(1, hello);
  rig.say(1, HaveAll{});
  CHECK(with(rig.say(1, Unchoke{}), "request") == Lines{"c1: request 0", "c1: request 1"});
}

TEST_CASE("the most urgent block goes to the peer that finishes it first") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s, 30s);
  rig.seed(1);
  rig.seed(2);
  for (int i = 0; i < 5; ++i) rig.gives(1, i);  // all at once: a fast peer
  rig.pass(2s);
  const Lines lines = rig.gives(2, 5);
  CHECK(rig.swarm().peers()[0].in_flight > rig.swarm().peers()[1].in_flight);
}

TEST_CASE("of the clients that miss a group exactly one fetches it for the swarm") {
  for (const int clients : {2, 3, 7}) {
    CAPTURE(clients);
    std::vector<std::unique_ptr<SwarmRig>> rigs;
    for (int i = 0; i < clients; ++i) {
      rigs.push_back(std::make_unique<SwarmRig>(Policy::adaptive(), TrackShape{}, i));
      rigs.back()->cdn_up();
    }
    std::map<int, int> fetched;
    for (int i = 0; i < clients; ++i) {
      SwarmRig& rig = *rigs[static_cast<std::size_t>(i)];
      rig.play(0s, 10s);
      for (int n = 0; n < clients; ++n) {
        if (n == i) continue;
        rig.connect(n);
        ExtendedHandshake hello;
        hello.tributary = true;
        rig.say(n, hello);
        rig.say(n, HaveNone{});
      }
      rig.pass(2s);  // the search for peers is over
      for (const CdnFetch& fetch : rig.fetches()) {
        CHECK(fetch.reason == CdnReason::kSeedSwarm);
        for (BlockIndex b = fetch.blocks.begin; b < fetch.blocks.end; ++b) ++fetched[b.value()];
      }
    }
    // From 4 s ahead to 40 s ahead, each block once.
    std::map<int, int> expected;
    for (int b = 4; b < 40; ++b) expected[b] = 1;
    CHECK(fetched == expected);
  }
}

TEST_CASE("who uploads nothing seeds no swarm, and does not say that it would") {
  for (const bool upload : {true, false}) {
    CAPTURE(upload);
    SwarmRig rig(Policy::adaptive(), {.blocks = 100, .upload = upload});
    rig.cdn_up();
    rig.play(0s, 20s);
    rig.connect(1);
    const auto hello =
        std::find_if(rig.actions().begin(), rig.actions().end(), [](const Action& action) {
          const auto* send = std::get_if<Send>(&action);
          return send && std::holds_alternative<ExtendedHandshake>(send->message);
        });
    REQUIRE(hello != rig.actions().end());
    CHECK(std::get<ExtendedHandshake>(std::get<Send>(*hello).message).tributary == upload);
    ExtendedHandshake theirs;
    theirs.tributary = true;
    rig.say(1, theirs);
    rig.say(1, HaveNone{});
    CHECK(with(rig.pass(30s), "seed_swarm").empty() == !upload);
  }
}

TEST_CASE("nobody seeds the swarm among strangers that do not share the CDN's load") {
  SwarmRig rig;
  rig.cdn_up();
  rig.play(0s, 20s);
  rig.connect(1);
  rig.say(1, HaveNone{});
  CHECK(with(rig.pass(5s), "seed_swarm").empty());
}

TEST_CASE("without a CDN a late block is asked of a second peer, and the loser is cancelled") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 5});
  rig.play(0s, 1s);
  rig.seed(1);
  rig.pass(3s);  // silent: everything is late by now
  const Lines hedged = with(rig.seed(2), "request");
  REQUIRE(!hedged.empty());
  CHECK(hedged.front() == "c2: request 2");  // the playhead
  CHECK(with(rig.piece(2, 2), "cancel") == Lines{"c1: cancel 2"});
}

TEST_CASE("hedges that are under way count towards the share of duplicates") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 15});
  rig.play(0s, 1s);
  for (int n = 1; n <= 3; ++n) CHECK(with(rig.seed(n), "request").size() == 5);
  rig.pass(3s);  // silent: everything is late by now
  Lines hedged = with(rig.seed(4), "request");
  for (const std::string& line : with(rig.seed(5), "request")) hedged.push_back(line);
  CHECK(hedged.size() == 4);  // what a session may always hedge
}

TEST_CASE("duplicates of hedging and endgame stay within their share") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 200});
  rig.play(0s, 1s);
  rig.seed(1, false);
  rig.seed(2, false);
  rig.seed(3, false);
  // Peer 1 takes a second a block, the others a tenth; what was cancelled comes all the same.
  for (int step = 0; step < 2000 && !rig.swarm().have_blocks().all(); ++step) {
    rig.pass(100ms);
    for (int n = 1; n <= 3; ++n) {
      if ((n == 1 && step % 10 != 0) || rig.asked(n).empty()) continue;
      const int block = rig.asked(n).front();
      if (!with(rig.piece(n, block), "verify").empty()) rig.verified(block);
    }
  }
  const ByteCounts total = rig.swarm().ledger().total();
  CHECK(total.peers == total.good + total.duplicate);
  CHECK(total.duplicate <= total.peers / 100 * 5 + 4 * kBlockSize);
  CHECK(total.good >= 150 * kBlockSize);
}

TEST_CASE("a seek cancels CDN requests that serve no demand any more, and only those") {
  SwarmRig rig;
  rig.cdn_up();
  CHECK(rig.start() == Lines{"may start", "fetch 0-2 startup"});
  CHECK(rig.start(50s) == Lines{"cancel fetch", "may start", "fetch 50-52 startup"});
  CHECK(rig.start(50s) == Lines{"may start"});
  CHECK(rig.start(0s) == Lines{"cancel fetch", "may start", "fetch 0-2 startup"});
  // A jump while playing counts as well; a small correction of the clock does not.
  rig.cdn_delivers();
  rig.play(0s, 2s);
  rig.pass(3s);
  REQUIRE(rig.swarm().asked_of_cdn().count() > 0);
  CHECK(with(rig.play(1500ms), "cancel").empty());
  CHECK(!with(rig.play(55s), "cancel fetch").empty());
}

TEST_CASE("stopping cancels what the CDN brings and leaves no deadline but the trackers'") {
  SwarmRig rig;
  rig.cdn_up();
  rig.start();
  CHECK(rig.in(ClearDemand{SwarmRig::kTorrent, SwarmRig::kFile}) == Lines{"cancel fetch"});
  CHECK(rig.swarm().next_deadline() == kNever);
  CHECK(rig.swarm().asked_of_cdn().none());
}

TEST_CASE("the policies that use one source alone never ask the other") {
  SwarmRig server(Policy::cdn_only());
  server.cdn_up();
  server.start();
  server.cdn_delivers();
  Lines lines = server.play(0s);
  for (const std::string& line : server.seed(1)) lines.push_back(line);
  CHECK(with(lines, "request").empty());
  CHECK(with(lines, "connect").empty());
  SwarmRig peers(Policy::peers_only());
  peers.cdn_up();
  lines = peers.start();
  for (const std::string& line : peers.pass(30s)) lines.push_back(line);
  CHECK(with(lines, "fetch").empty());
}

TEST_CASE("a peer that rejects everything is not asked for ever") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s);
  rig.seed(1);
  int asked = 0;
  for (int i = 0; i < 10'000; ++i) {
    const int block = rig.swarm().asked_of_peers().find_next(0);
    if (block == Bitfield::kNone) break;
    const Lines lines = rig.reject(1, block);
    ++asked;
    if (!with(lines, "disconnect").empty()) break;
  }
  CHECK(asked < 200);
}

TEST_CASE(
    "a silent peer loses its requests to others and gets no more than one until it delivers") {
  for (const bool fast : {true, false}) {
    CAPTURE(fast);
    SwarmRig rig(Policy::peers_only());
    rig.play(0s, 100s);
    CHECK(with(rig.seed(1, fast), "request").size() == 5);
    CHECK(with(rig.pass(5s), "cancel").size() == 5);
    const Lines after = rig.pass(4s);
    CHECK(with(after, "request").size() <= (fast ? 0 : 1));
    CHECK(with(rig.seed(2), "c2: request").size() == 5);
  }
}

TEST_CASE("a peer is asked for a block once, also while it still owes the answer to a cancel") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 3});
  rig.play(0s, 100s);
  CHECK(with(rig.seed(1), "request").size() == 3);
  CHECK(with(rig.pass(6s), "cancel").size() == 3);
  CHECK(with(rig.say(1, Unchoke{}), "request").empty());
  CHECK(with(rig.pass(60s), "request").empty());
  CHECK(with(rig.reject(1, 0), "request").size() <= 1);
}

TEST_CASE("a peer that speaks BEP 6 and leaves cancels unanswered is found out and asked again") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 400});
  rig.play(0s);
  CHECK(with(rig.seed(1), "request").size() == 5);
  const Lines sought = rig.play(300s);
  CHECK(with(sought, "cancel").size() == 5);
  CHECK(with(sought, "request").empty());
  CHECK(with(rig.pass(1900ms), "request").empty());
  CHECK(with(rig.pass(200ms), "request").size() == 1);
  CHECK(with(rig.gives(1, rig.asked(1).front()), "request").size() >= 5);
}

TEST_CASE(
    "a peer that owes all that is left, and leaves cancels unanswered, is found out as well") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 5});
  rig.play(0s, 100s);
  CHECK(with(rig.seed(1), "request").size() == 5);
  CHECK(with(rig.play(2s, 100s), "cancel").size() == 5);
  CHECK(with(rig.pass(2s - 1us), "request").empty());
  CHECK(with(rig.pass(1us), "request") == Lines{"c1: request 2"});
  CHECK(with(rig.pass(1s), "request").empty());  // one is enough to see
  CHECK(with(rig.gives(1, 2), "request") == Lines{"c1: request 3", "c1: request 4"});
}

TEST_CASE("a peer is watched again when it is asked after an idle time") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 3});
  rig.seed(1);
  rig.pass(30s);
  CHECK(with(rig.play(0s, 100s), "request").size() == 3);
  CHECK(with(rig.pass(6s), "cancel").size() == 3);
}

}  // namespace
}  // namespace tributary::core
