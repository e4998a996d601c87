#include "demo/loadtest/node_meter.h"

#include <doctest/doctest.h>

#include "engine/sim/track.h"

namespace tributary::demo {
namespace {

using sim::Origin;

constexpr core::TorrentId kTorrent{3};
constexpr core::ConnId kPeer{5};
constexpr cdn::HttpId kRequest{8};
constexpr core::BufferId kBuffer{1};

// A node that has opened a torrent of ten blocks and a bit.
struct Node {
  sim::Track track{{.duration = 10s, .rate = 160_kbps, .size = 10 * core::kBlockSize + 100_B}, 1};
  NodeMeter meter;

  Node() {
    player::OpenTorrent open;
    open.id = kTorrent;
    open.layout = std::make_shared<core::Layout>(track.layout());
    meter.count(player::Opened{&open, nullptr});
  }
  std::optional<NodeMeter::Change> input(const core::Input& input) { return meter.count(&input); }
  std::optional<NodeMeter::Change> action(const core::Action& action) {
    return meter.count(&action);
  }
  void peer_brings(std::int32_t block, core::BufferId buffer) {
    const core::BlockSpan span = track.layout().span_of(core::BlockIndex(block));
    input(core::PeerMessage{kTorrent, kPeer, core::Piece{span, buffer}});
  }
  void ask_cdn() {
    cdn::HttpGet get;
    get.id = kRequest;
    get.torrent = kTorrent;
    const cdn::HttpAction action = get;
    meter.count(&action);
  }
  void cdn_brings(std::int32_t block, core::BufferId buffer) {
    const cdn::HttpInput input = cdn::HttpBlock{kRequest, core::BlockIndex(block), buffer};
    meter.count(&input);
  }
};

TEST_CASE("a block that is stored counts for the peer who brought it, by its true length") {
  Node node;
  node.peer_brings(10, kBuffer);
  CHECK(node.meter.kept().total() == 0_B);
  const auto change = node.action(core::Store{kTorrent, core::BlockIndex(10), kBuffer});
  REQUIRE(change);
  CHECK(change->torrent == kTorrent);
  CHECK(change->blocks == core::BlockRange{core::BlockIndex(10), core::BlockIndex(11)});
  CHECK(change->origin == Origin::kPeers);
  CHECK(node.meter.kept()[Origin::kPeers] == 100_B);
}

TEST_CASE("a block that is stored counts for the CDN that was asked for it") {
  Node node;
  node.ask_cdn();
  node.cdn_brings(2, kBuffer);
  CHECK(node.action(core::Store{kTorrent, core::BlockIndex(2), kBuffer})->origin == Origin::kCdn);
  CHECK(node.meter.kept()[Origin::kCdn] == core::kBlockSize);
  CHECK(node.meter.kept()[Origin::kPeers] == 0_B);
}

TEST_CASE("what is thrown away was wrong where it had been found so, and else not needed") {
  Node node;
  node.ask_cdn();
  node.cdn_brings(2, core::BufferId{1});
  node.peer_brings(3, core::BufferId{2});
  node.peer_brings(4, core::BufferId{3});
  node.input(core::Verified{kTorrent, {core::BlockIndex(2), core::BlockIndex(4)}, false, {}});
  node.input(core::Verified{kTorrent, {core::BlockIndex(4), core::BlockIndex(5)}, true, {}});
  for (std::uint32_t buffer : {1U, 2U, 3U}) node.action(core::Free{core::BufferId{buffer}});
  CHECK(node.meter.corrupt()[Origin::kCdn] == core::kBlockSize);
  CHECK(node.meter.corrupt()[Origin::kPeers] == core::kBlockSize);
  CHECK(node.meter.duplicate()[Origin::kPeers] == core::kBlockSize);
  CHECK(node.meter.duplicate()[Origin::kCdn] == 0_B);
  CHECK(node.meter.kept().total() == 0_B);
}

TEST_CASE("a buffer that is used again counts for whoever filled it last") {
  Node node;
  node.ask_cdn();
  node.cdn_brings(2, kBuffer);
  node.action(core::Free{kBuffer});
  node.peer_brings(2, kBuffer);
  CHECK(node.action(core::Store{kTorrent, core::BlockIndex(2), kBuffer})->origin == Origin::kPeers);
}

TEST_CASE("blocks that the store has lost are told of") {
  Node node;
  const core::BlockRange lost{core::BlockIndex(1), core::BlockIndex(4)};
  const auto change = node.input(core::BlocksLost{kTorrent, lost});
  REQUIRE(change);
  CHECK(change->blocks == lost);
  CHECK_FALSE(change->origin);
}

TEST_CASE("messages are counted, and the bytes of those about other peers") {
  Node node;
  node.action(core::Send{kTorrent, kPeer, core::Interested{}});
  CHECK(node.meter.search_bytes() == 0_B);
  node.action(core::Send{kTorrent, kPeer, core::PeerExchange{}});
  CHECK(node.meter.messages() == 2);
  CHECK(node.meter.search_bytes() > 0_B);
}

}  // namespace
}  // namespace tributary::demo
