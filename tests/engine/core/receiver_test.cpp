#include "engine/core/receiver.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/engine/core/rig/swarm_rig.h"

namespace tributary::core {
namespace {

const TrackShape kV1Pieces{.blocks = 12, .blocks_per_piece = 4, .v1 = true, .v2 = false};
const TrackShape kHybridPieces{.blocks = 12, .blocks_per_piece = 4, .v1 = true, .v2 = true};

Verified verdict(int begin, int end, bool good, std::vector<Sha256> digests = {}) {
  return {SwarmRig::kTorrent, {BlockIndex(begin), BlockIndex(end)}, good, std::move(digests)};
}

std::vector<Sha256> digests(std::initializer_list<int> values) {
  std::vector<Sha256> hashes;
  for (int v : values) hashes.push_back(hash_of(static_cast<std::uint8_t>(v)));
  return hashes;
}

bool banned(SwarmRig& rig, int n) {
  return rig.bans().is_banned(Endpoint::v4(10, 0, 0, static_cast<std::uint8_t>(n), 1), rig.now());
}

TEST_CASE("a block of a v2 torrent is verified by itself, stored, and told to others") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s, 10s);
  rig.connect(2);
  rig.say(2, HaveNone{});
  rig.seed(1);
  CHECK(rig.piece(1, 0) == Lines{"verify 0", "c1: request 5", "c1: request 6"});
  CHECK(rig.verified(0) == Lines{"store 0", "c2: have 0"});
  CHECK(rig.swarm().ledger().total().good == kBlockSize);
}

TEST_CASE("unrequested blocks are freed and counted, and too many of them end the connection") {
  SwarmRig rig(Policy::peers_only());
  rig.connect(1);
  rig.say(1, HaveAll{});
  CHECK(rig.piece(1, 3) == Lines{"free"});
  CHECK(rig.swarm().ledger().total().peers == kBlockSize);
  CHECK(rig.swarm().ledger().total().duplicate == kBlockSize);
  Lines lines;
  for (int i = 0; i < kMaxOffences; ++i) lines = rig.piece(1, 3);
  CHECK(lines == Lines{"free", "c1: disconnect"});
}

TEST_CASE("blocks that do not exist are freed, not counted, and end the connection") {
  SwarmRig rig(Policy::peers_only());
  rig.seed(1);
  const BlockSpan spans[] = {{PieceIndex(0), 0_B, 0_B},           {PieceIndex(0), 1_B, kBlockSize},
                             {PieceIndex(-1), 0_B, kBlockSize},   {PieceIndex(60), 0_B, kBlockSize},
                             {PieceIndex(0), kBlockSize, 16_KiB}, {PieceIndex(0), 0_B, 8_KiB}};
  for (const BlockSpan& span : spans) {
    CHECK(rig.say(1, Piece{span, rig.buffer()}) == Lines{"free", "c1: disconnect"});
  }
  CHECK(rig.swarm().ledger().total().peers == 0_B);
}

TEST_CASE("a piece from a connection that is gone is freed") {
  SwarmRig rig(Policy::peers_only());
  CHECK(rig.piece(9, 0) == Lines{"free"});
}

TEST_CASE("a v1 piece is verified whole, once its last block is here") {
  SwarmRig rig(Policy::peers_only(), kV1Pieces);
  rig.play(0s, 10s);
  rig.seed(1);
  for (int b = 0; b < 3; ++b) CHECK(with(rig.piece(1, b), "verify").empty());
  CHECK(with(rig.piece(1, 3), "verify") == Lines{"verify 0-4 whole"});
  CHECK(with(rig.in(verdict(0, 4, true)), "store") ==
        Lines{"store 0", "store 1", "store 2", "store 3"});
}

TEST_CASE("of two senders of a bad piece only the one whose block was wrong is banned") {
  SwarmRig rig(Policy::peers_only(), kV1Pieces);
  rig.play(0s, 10s);
  rig.seed(1);
  rig.seed(2);
  const Lines before = rig.pass(6s);  // both lose their requests; then each is asked one at a time
  rig.say(1, Choke{});
  rig.say(2, Choke{});
  for (int n : {1, 2}) {
    for (int b = 0; b < 12; ++b) rig.reject(n, b);
  }
  rig.say(1, Unchoke{});
  REQUIRE(!rig.asked(1).empty());
  rig.piece(1, 0);
  rig.piece(1, 1);
  rig.say(1, Choke{});
  for (int b = 2; b < 12; ++b) rig.reject(1, b);
  rig.say(2, Unchoke{});
  rig.piece(2, 2);
  REQUIRE(with(rig.piece(2, 3), "verify") == Lines{"verify 0-4 whole"});
  const auto suspects = [&] {
    const auto peers = rig.swarm().peers();
    return std::count_if(peers.begin(), peers.end(), [](const PeerView& peer) {
      return peer.flags.find('F') != std::string::npos;
    });
  };
  CHECK(suspects() == 0);
  Lines lines = rig.in(verdict(0, 4, false, digests({1, 2, 9, 4})));
  CHECK(with(lines, "free").size() == 4);
  CHECK(with(lines, "disconnect").empty());
  CHECK(suspects() == 2);
  // Peer 2 is given the whole piece and lies again, or peer 1 brings it: here it comes good.
  rig.say(2, Choke{});
  for (int b = 0; b < 12; ++b) rig.reject(2, b);
  rig.say(1, Unchoke{});
  for (int b = 0; b < 4; ++b) lines = rig.piece(1, b);
  REQUIRE(with(lines, "verify") == Lines{"verify 0-4 whole"});
  lines = rig.in(verdict(0, 4, true, digests({1, 2, 3, 4})));
  CHECK(with(lines, "disconnect") == Lines{"c2: disconnect"});
  CHECK(banned(rig, 2));
  CHECK_FALSE(banned(rig, 1));
}

TEST_CASE("a poisoned piece that the CDN had a part in is not blamed on the CDN") {
  SwarmRig rig(Policy::adaptive(), kV1Pieces);
  rig.cdn_up();
  rig.connect(1);
  rig.say(1, HaveAll{});
  rig.play(0s, 10s);
  rig.say(1, Unchoke{});
  rig.piece(1, 0);
  rig.pass(8500ms);  // the CDN rescues the rest
  REQUIRE(!rig.fetches().empty());
  const CdnFetch fetch = rig.fetches().back();
  REQUIRE(fetch.blocks.begin == BlockIndex(1));
  Lines lines;
  for (int b = 1; b < 4; ++b) lines = rig.cdn_block(fetch.request, b);
  REQUIRE(with(lines, "verify") == Lines{"verify 0-4 whole"});
  lines = rig.in(verdict(0, 4, false, digests({9, 2, 3, 4})));
  CHECK(with(lines, "CDN corrupt").empty());
  CHECK(with(lines, "disconnect").empty());
}

TEST_CASE("the CDN alone is told off for a piece that came from it alone") {
  SwarmRig rig(Policy::cdn_only(), kV1Pieces);
  rig.cdn_up();
  rig.start();
  const CdnFetch fetch = rig.fetches().back();
  Lines lines;
  for (int b = 0; b < 4; ++b) lines = rig.cdn_block(fetch.request, b);
  REQUIRE(with(lines, "verify") == Lines{"verify 0-4 whole"});
  lines = rig.in(verdict(0, 4, false, digests({9, 2, 3, 4})));
  CHECK(with(lines, "CDN corrupt") == Lines{"CDN corrupt 0-4"});
  const ByteCounts counts = rig.swarm().ledger().total();
  CHECK(counts.corrupt == 4 * kBlockSize);
  CHECK(counts.cdn_corrupt[CdnReason::kStartup] == 4 * kBlockSize);
}

TEST_CASE("what the CDN brought wrong in one request is asked for anew in one") {
  SwarmRig rig(Policy::cdn_only());
  rig.cdn_up();
  rig.start();
  rig.cdn_delivers();
  const CdnFetch rest = rig.fetches().back();
  REQUIRE(rest.blocks.size() > 6);
  const BlockIndex first = rest.blocks.begin;
  const auto nth = [first](int n) { return first.value() + n; };
  for (int n = 0; n < 5; ++n) rig.cdn_block(rest.request, nth(n));
  const std::size_t fetches = rig.fetches().size();
  rig.verified(nth(0), false);
  rig.verified(nth(2), false);
  rig.cdn_block(rest.request, nth(5));  // later than the first lie: its verdict is not awaited
  rig.verified(nth(1), false);
  rig.verified(nth(3), true);
  CHECK(rig.fetches().size() == fetches);
  rig.verified(nth(4), false);
  REQUIRE(rig.fetches().size() == fetches + 2);
  CHECK(rig.fetches()[fetches].blocks == BlockRange{first, first + 3});
  CHECK(rig.fetches()[fetches + 1].blocks == BlockRange{first + 4, first + 5});
}

TEST_CASE("with leaf hashes each block of a large piece is verified alone, and a liar is named") {
  SwarmRig rig(Policy::peers_only(), kHybridPieces);
  rig.play(0s, 10s);
  rig.connect(1, true, true);
  rig.say(1, HaveAll{});
  const Lines asked = rig.say(1, Unchoke{});
  CHECK(with(asked, "hash request").size() == 2);  // pieces 0 and 1
  rig.piece(1, 0);
  const HashesVerified leaves{SwarmRig::kTorrent, conn_of(1), PieceIndex(0), digests({1, 2, 3, 4})};
  CHECK(with(rig.in(leaves), "verify") == Lines{"verify 0"});
  CHECK(with(rig.in(leaves), "verify").empty());  // a second answer hashes nothing again
  CHECK(with(rig.verified(0), "store") == Lines{"store 0"});
  CHECK(with(rig.piece(1, 1), "verify") == Lines{"verify 1"});
  const Lines lines = rig.verified(1, false);
  CHECK(with(lines, "free").size() == 1);
  CHECK(with(lines, "disconnect") == Lines{"c1: disconnect"});
  CHECK(banned(rig, 1));
}

TEST_CASE("blocks that were stored before do not shift the blame for a bad piece") {
  SwarmRig rig(Policy::peers_only(), kV1Pieces);
  Bitfield stored(12);
  stored.set(0);  // block 0 was found on disk
  rig.in(Restored{SwarmRig::kTorrent, stored});
  rig.play(0s, 10s);
  rig.seed(1);
  rig.piece(1, 1);
  rig.say(1, Choke{});
  for (int b = 0; b < 12; ++b) rig.reject(1, b);
  rig.seed(2);
  rig.piece(2, 2);
  REQUIRE(with(rig.piece(2, 3), "verify") == Lines{"verify 0-4 whole"});
  rig.in(verdict(0, 4, false, digests({1, 2, 3, 9})));  // block 3, of peer 2, is wrong
  rig.say(2, Choke{});
  for (int b = 0; b < 12; ++b) rig.reject(2, b);
  rig.say(1, Unchoke{});
  Lines lines;
  for (int b = 1; b < 4; ++b) lines = rig.piece(1, b);
  REQUIRE(with(lines, "verify") == Lines{"verify 0-4 whole"});
  CHECK(with(rig.in(verdict(0, 4, true, digests({1, 2, 3, 4}))), "disconnect") ==
        Lines{"c2: disconnect"});
  CHECK_FALSE(banned(rig, 1));
}

TEST_CASE("an exclusive piece passes to someone else when its source chokes us") {
  SwarmRig rig(Policy::peers_only(), {.blocks = 4, .blocks_per_piece = 4, .v1 = true, .v2 = false});
  rig.play(0s, 10s);
  rig.seed(1);
  rig.seed(2);
  rig.piece(1, 0);
  rig.piece(1, 1);
  rig.say(1, Choke{});
  for (int b = 0; b < 4; ++b) rig.reject(1, b);
  rig.piece(2, 2);
  REQUIRE(with(rig.piece(2, 3), "verify") == Lines{"verify 0-4 whole"});
  Lines lines = rig.in(verdict(0, 4, false));
  // Blocks 0 and 1 had been asked of it as well, and cancelled: its answers come first.
  CHECK(with(lines, "c2: request").size() == 2);
  rig.reject(2, 0);
  rig.reject(2, 1);
  CHECK(rig.asked(2).size() == 4);
  rig.say(1, Unchoke{});
  CHECK(rig.asked(1).empty());  // the piece is peer 2's alone
  lines = rig.say(2, Choke{});
  for (int b = 0; b < 4; ++b) {
    for (const std::string& line : rig.reject(2, b)) lines.push_back(line);
  }
  CHECK(with(lines, "c1: request").size() == 4);
}

TEST_CASE("lost blocks blame nobody, are withdrawn from those who understand, and fetched again") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s, 100s);
  ExtendedHandshake hello;
  hello.dont_have = true;
  rig.connect(2);
  rig.say(2, hello);
  rig.say(2, HaveNone{});
  rig.seed(1);
  rig.gives(1, 0);
  const Lines lines = rig.in(BlocksLost{SwarmRig::kTorrent, {BlockIndex(0), BlockIndex(1)}});
  CHECK(with(lines, "dont have") == Lines{"c2: dont have 0"});
  CHECK(with(lines, "disconnect").empty());
  CHECK(with(rig.piece(1, 1), "request").front() == "c1: request 0");
  CHECK(rig.swarm().ledger().total().corrupt == 0_B);
}

TEST_CASE("what has no verdict yet goes back to the host when the swarm closes") {
  SwarmRig rig(Policy::peers_only());
  rig.play(0s, 10s);
  rig.seed(1);
  rig.piece(1, 0);
  rig.piece(1, 1);
  rig.swarm().close(rig.now());
  CHECK(rig.drain() == Lines{"free", "free", "c1: disconnect"});
}

}  // namespace
}  // namespace tributary::core
