#include "engine/net/torrent_hashes.h"

#include <doctest/doctest.h>

#include "tests/engine/net/sample_torrent.h"

namespace tributary::net {
namespace {

std::vector<wire::Octets> piece_of(const SampleTorrent& torrent, core::PieceIndex piece) {
  std::vector<wire::Octets> blocks;
  const core::BlockRange range = core::Layout(*torrent.info).blocks_of(piece);
  for (core::BlockIndex b = range.begin; b < range.end; ++b) blocks.push_back(torrent.block(b));
  return blocks;
}

Verdict verdict(const SampleTorrent& torrent, std::int32_t piece) {
  const TorrentHashes hashes(torrent.info);
  return hashes.check_piece(core::PieceIndex(piece), piece_of(torrent, core::PieceIndex(piece)))
      .verdict;
}

TEST_CASE("every piece of a sound torrent passes, in each version") {
  for (const Versions versions : {Versions::kV1, Versions::kV2, Versions::kHybrid}) {
    const SampleTorrent torrent = sample_torrent(versions);
    for (std::int32_t p = 0; p < 4; ++p) CHECK(verdict(torrent, p) == Verdict::kGood);
  }
}

TEST_CASE("one flipped bit anywhere fails its piece and no other") {
  for (const Versions versions : {Versions::kV1, Versions::kV2, Versions::kHybrid}) {
    SampleTorrent torrent = sample_torrent(versions);
    torrent.bytes[64 * 1024 * 2 + 17 * 1024] ^= 1;  // second block of the piece that has padding
    torrent.bytes.back() ^= 0x80;
    CHECK(verdict(torrent, 0) == Verdict::kGood);
    CHECK(verdict(torrent, 1) == Verdict::kGood);
    CHECK(verdict(torrent, 2) == Verdict::kBad);
    CHECK(verdict(torrent, 3) == Verdict::kBad);
  }
}

TEST_CASE("a hybrid whose two versions contradict each other is told apart from bad bytes") {
  SampleTorrent v1_lies = sample_torrent(Versions::kHybrid);
  v1_lies.info->piece_hashes[1].bytes[0] ^= 1;
  CHECK(verdict(v1_lies, 1) == Verdict::kVersionsDisagree);
  SampleTorrent v2_lies = sample_torrent(Versions::kHybrid);
  v2_lies.info->files[2].pieces_root->bytes[0] ^= 1;
  CHECK(verdict(v2_lies, 3) == Verdict::kVersionsDisagree);
}

TEST_CASE("a block of the wrong size is bad, not read beyond") {
  const SampleTorrent torrent = sample_torrent(Versions::kHybrid);
  const TorrentHashes hashes(torrent.info);
  auto blocks = piece_of(torrent, core::PieceIndex(3));
  blocks[1] = blocks[1].first(blocks[1].size() - 1);
  CHECK(hashes.check_piece(core::PieceIndex(3), blocks).verdict == Verdict::kBad);
  blocks[1] = {};
  CHECK(hashes.check_piece(core::PieceIndex(3), blocks).verdict == Verdict::kBad);
}

TEST_CASE("a false or contradictory piece layer gives no tree, and nothing passes by it") {
  SampleTorrent torrent = sample_torrent(Versions::kV2);
  torrent.info->files[0].piece_layer[0].bytes[0] ^= 1;
  torrent.info->files[2].piece_layer.push_back({});  // a file of one piece has no layer
  const TorrentHashes hashes(torrent.info);
  CHECK_FALSE(hashes.place_of(core::PieceIndex(0)).has_value());
  CHECK_FALSE(hashes.place_of(core::PieceIndex(3)).has_value());
  CHECK(verdict(torrent, 0) == Verdict::kBad);
}

core::Hashes leaf_message(const SampleTorrent& torrent, const TorrentHashes& hashes,
                          std::int32_t piece) {
  const auto place = hashes.place_of(core::PieceIndex(piece));
  core::Hashes message{*place->tree->leaf_request(place->piece_in_file), {}};
  for (const wire::Octets block : piece_of(torrent, core::PieceIndex(piece))) {
    message.hashes.push_back(block.empty() ? Sha256{} : sha256(block));
  }
  message.hashes.resize(message.span.length);
  return message;
}

TEST_CASE("leaf hashes that add up are handed out one per block, padding as zero") {
  const SampleTorrent torrent = sample_torrent(Versions::kHybrid);
  const TorrentHashes hashes(torrent.info);
  for (const std::int32_t p : {0, 1, 2, 3}) {
    const auto leaves = hashes.check_leaves(core::PieceIndex(p), leaf_message(torrent, hashes, p));
    const auto blocks = piece_of(torrent, core::PieceIndex(p));
    REQUIRE(leaves.size() == blocks.size());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      CHECK(leaves[i] == (blocks[i].empty() ? Sha256{} : sha256(blocks[i])));
    }
  }
}

TEST_CASE("leaf hashes that lie, are cut short or speak of another piece are refused") {
  const SampleTorrent torrent = sample_torrent(Versions::kV2);
  const TorrentHashes hashes(torrent.info);
  const core::PieceIndex piece(1);
  core::Hashes lie = leaf_message(torrent, hashes, 1);
  lie.hashes[2].bytes[5] ^= 1;
  CHECK(hashes.check_leaves(piece, lie).empty());
  core::Hashes cut = leaf_message(torrent, hashes, 1);
  cut.hashes.pop_back();
  CHECK(hashes.check_leaves(piece, cut).empty());
  CHECK(hashes.check_leaves(core::PieceIndex(0), leaf_message(torrent, hashes, 1)).empty());
  const SampleTorrent v1 = sample_torrent(Versions::kV1);
  CHECK(TorrentHashes(v1.info).check_leaves(piece, lie).empty());
}

}  // namespace
}  // namespace tributary::net
