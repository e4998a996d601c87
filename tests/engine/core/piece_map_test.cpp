#include "engine/core/piece_map.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "engine/base/random.h"

namespace tributary::core {
namespace {

constexpr ConnId kAnn{1};
constexpr ConnId kBob{2};
constexpr BufferId kBuffer{9};

TorrentInfo torrent(int blocks, int blocks_per_piece) {
  TorrentInfo info;
  info.piece_length = kBlockSize * blocks_per_piece;
  info.total_size = kBlockSize * blocks;
  info.files.push_back({"file", 0_B, info.total_size, false, {}, {}});
  return info;
}

BlockIndex block(int b) { return BlockIndex(b); }

// A torrent of pieces of four blocks, the last one short, and the map of it.
struct Board {
  explicit Board(int blocks = 10) : Board(torrent(blocks, 4)) {}
  explicit Board(const TorrentInfo& info) : layout(info), map(layout) {}

  // One sign a block: '#' had, 'r' received, 'o' open; else on its way from one peer (1), two (2),
  // the CDN (c), or from the CDN and so many peers (d, e).
  char sign(BlockIndex b) const {
    if (map.have(b)) return '#';
    if (map.received(b)) return 'r';
    if (map.open_blocks().test(b.value())) return 'o';
    const auto owners = map.owner_count(b);
    return map.asked_of_cdn(b) ? "cde"[owners] : "?12"[owners];
  }
  std::string blocks() const {
    std::string drawing;
    for (BlockIndex b(0); b.value() < layout.block_count(); ++b) {
      const BlockIndex first = layout.blocks_of(layout.piece_of(b)).begin;
      if (b == first && b.value() > 0) drawing += ' ';
      drawing += sign(b);
    }
    return drawing;
  }
  // One sign a piece: '#' had, 'p' open and partial, 'o' open, '-' neither.
  std::string pieces() const {
    std::string drawing;
    for (PieceIndex p(0); p.value() < layout.piece_count(); ++p) {
      const bool open = map.open_pieces().test(p.value());
      drawing += map.have_piece(p) ? '#' : open ? (map.partial(p) ? 'p' : 'o') : '-';
    }
    return drawing;
  }

  Layout layout;
  PieceMap map;
};

TEST_CASE("a new map is open everywhere, to the short piece at the end") {
  const Board board;
  CHECK(board.blocks() == "oooo oooo oo");
  CHECK(board.pieces() == "ooo");
  CHECK_FALSE(board.map.complete());
}

TEST_CASE("a block is open again when the last who was asked for it is not any more") {
  Board board;
  board.map.add_owner(block(1), kAnn);
  CHECK(board.blocks() == "o1oo oooo oo");
  CHECK(board.pieces() == "poo");
  board.map.add_owner(block(1), kBob);
  board.map.set_cdn(block(1), true);
  CHECK(board.blocks() == "oeoo oooo oo");
  board.map.remove_owner(block(1), kAnn);
  board.map.remove_owner(block(1), kAnn);  // not an owner any more
  CHECK(board.blocks() == "odoo oooo oo");
  board.map.set_cdn(block(1), false);
  CHECK(board.blocks() == "o1oo oooo oo");
  board.map.remove_owner(block(1), kBob);
  CHECK(board.blocks() == "oooo oooo oo");
  CHECK(board.pieces() == "ooo");
}

TEST_CASE("what peers are asked for is uncovered still, what the CDN is asked for is not") {
  Board board;
  board.map.add_owner(block(0), kAnn);
  board.map.set_cdn(block(1), true);
  board.map.set_received(block(2), kBuffer);
  board.map.set_have(block(3));
  CHECK(board.blocks() == "1cr# oooo oo");
  std::string uncovered;
  for (int b = 0; b < 10; ++b) uncovered += board.map.uncovered().test(b) ? 'x' : '.';
  CHECK(uncovered == "x...xxxxxx");
}

TEST_CASE("a piece is open while one block of it is") {
  Board board;
  for (int b : {4, 5, 6}) board.map.add_owner(block(b), kAnn);
  CHECK(board.pieces() == "opo");
  board.map.set_cdn(block(7), true);
  CHECK(board.blocks() == "oooo 111c oo");
  CHECK(board.pieces() == "o-o");
  board.map.remove_owner(block(5), kAnn);
  CHECK(board.pieces() == "opo");
}

TEST_CASE("the places of an owner who left are free for another") {
  Board board;
  for (int i = 0; i < 5; ++i) {
    board.map.add_owner(block(0), kAnn);
    board.map.add_owner(block(0), kBob);
    CHECK(board.map.owner_count(block(0)) == 2);
    board.map.remove_owner(block(0), kAnn);
    CHECK(board.map.owners(block(0)) == std::array<ConnId, 2>{ConnId(), kBob});
    board.map.remove_owner(block(0), kBob);
  }
  CHECK(board.blocks() == "oooo oooo oo");
}

TEST_CASE("a received block that fails is open again, and its buffer is forgotten") {
  Board board;
  board.map.set_received(block(9), kBuffer);
  CHECK(board.map.buffer(block(9)) == kBuffer);
  CHECK(board.blocks() == "oooo oooo or");
  board.map.reset(block(9));
  CHECK(board.map.buffer(block(9)) == kNoBuffer);
  CHECK(board.blocks() == "oooo oooo oo");
}

TEST_CASE("the last block makes its piece whole, and the last piece the torrent, told once each") {
  Board board;
  std::string told;
  for (int b = 9; b >= 0; --b) told += board.map.set_have(block(b)) ? '!' : '.';
  CHECK(told == ".!...!...!");  // from the end: pieces of two, four and four blocks
  CHECK(board.blocks() == "#### #### ##");
  CHECK(board.pieces() == "###");
  CHECK(board.map.complete());
  CHECK_FALSE(board.map.set_have(block(0)));
}

TEST_CASE("a lost block takes its piece with it and can come back") {
  Board board;
  for (int b = 0; b < 10; ++b) board.map.set_have(block(b));
  board.map.reset(block(5));
  CHECK(board.blocks() == "#### #o## ##");
  CHECK(board.pieces() == "#p#");
  CHECK_FALSE(board.map.complete());
  CHECK(board.map.set_have(block(5)));
  CHECK(board.pieces() == "###");
}

TEST_CASE("a piece can be hashed when each block of it is had or received") {
  Board board;
  board.map.set_have(block(8));
  CHECK_FALSE(board.map.piece_in_hand(PieceIndex(2)));
  board.map.set_received(block(9), kBuffer);
  CHECK(board.map.piece_in_hand(PieceIndex(2)));
  CHECK_FALSE(board.map.have_piece(PieceIndex(2)));
  CHECK_FALSE(board.map.piece_in_hand(PieceIndex(0)));
}

TEST_CASE("blocks of padding alone are had from the start, and a piece of nothing else is had") {
  TorrentInfo info = torrent(10, 4);
  info.files.clear();
  info.files.push_back({"a", 0_B, kBlockSize, false, {}, {}});
  info.files.push_back({".pad", kBlockSize, kBlockSize * 7, true, {}, {}});
  info.files.push_back({"b", kBlockSize * 8, kBlockSize * 2, false, {}, {}});
  Board board(info);
  CHECK(board.blocks() == "o### #### oo");
  CHECK(board.pieces() == "p#o");
  CHECK(board.map.set_have(block(0)));
  CHECK(board.pieces() == "##o");
}

// One random step of a block's life that the map's contract allows.
void step(Board& board, Random& random) {
  const BlockIndex b = block(static_cast<int>(random.below(10)));
  PieceMap& map = board.map;
  switch (random.below(6)) {
    case 0:
      if (map.owner_count(b) < PieceMap::kMaxOwners) map.add_owner(b, ConnId(random.below(3) + 1));
      return;
    case 1:
      return map.remove_owner(b, ConnId(random.below(3) + 1));
    case 2:
      return map.set_cdn(b, random.chance(1, 2));
    case 3:
      if (!map.have(b) && !map.received(b)) map.set_received(b, kBuffer);
      return;
    case 4:
      return map.reset(b);
    default:
      map.set_have(b);
  }
}

TEST_CASE("property: the sets are what the blocks say, whatever happened before") {
  Board board;
  Random random(5);
  std::set<std::string> seen;
  for (int i = 0; i < 3000; ++i) {
    step(board, random);
    const PieceMap& map = board.map;
    std::set<int> open_pieces;
    std::set<int> missing_pieces;
    for (int b = 0; b < 10; ++b) {
      const int piece = board.layout.piece_of(block(b)).value();
      const bool missing = !map.have(block(b)) && !map.received(block(b));
      const bool open = missing && !map.asked_of_cdn(block(b)) && map.owner_count(block(b)) == 0;
      REQUIRE(map.open_blocks().test(b) == open);
      REQUIRE(map.uncovered().test(b) == (missing && !map.asked_of_cdn(block(b))));
      if (open) open_pieces.insert(piece);
      if (!map.have(block(b))) missing_pieces.insert(piece);
    }
    for (int p = 0; p < 3; ++p) {
      REQUIRE(map.open_pieces().test(p) == (open_pieces.count(p) > 0));
      REQUIRE(map.have_pieces().test(p) == (missing_pieces.count(p) == 0));
    }
    seen.insert(board.blocks());
  }
  CHECK(seen.size() > 500);
}

}  // namespace
}  // namespace tributary::core
