#include "engine/core/layout.h"

#include <doctest/doctest.h>

#include "engine/base/random.h"

namespace tributary::core {
namespace {

FileEntry file(Bytes offset, Bytes length, bool pad = false) {
  FileEntry f;
  f.path = pad ? ".pad" : "file";
  f.offset = offset;
  f.length = length;
  f.pad = pad;
  return f;
}
TorrentInfo info(Bytes piece_length, Bytes total, std::vector<FileEntry> files) {
  TorrentInfo t;
  t.piece_length = piece_length;
  t.total_size = total;
  t.files = std::move(files);
  return t;
}
Layout single(Bytes piece_length, Bytes size) {
  return Layout(info(piece_length, size, {file(0_B, size)}));
}
std::vector<std::int64_t> lengths(const Layout& layout, PieceIndex piece) {
  std::vector<std::int64_t> out;
  const BlockRange blocks = layout.blocks_of(piece);
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    out.push_back(layout.block_range(b).size().count());
  }
  return out;
}
using Lengths = std::vector<std::int64_t>;

TEST_CASE("a torrent is cut into pieces and blocks; only the last ones are short") {
  struct Row {
    Bytes piece, size;
    int pieces, per_piece, blocks;
    Lengths first, last;
  };
  const Row rows[] = {
      {32_KiB, 64_KiB, 2, 2, 4, {16384, 16384}, {16384, 16384}},
      {32_KiB, 64_KiB + 1_B, 3, 2, 5, {16384, 16384}, {1}},
      {32_KiB, 48_KiB + 5_B, 2, 2, 4, {16384, 16384}, {16384, 5}},
      {16_KiB, 1_B, 1, 1, 1, {1}, {1}},
      {10_KiB, 25_KiB, 3, 1, 3, {10240}, {5120}},
      {40_KiB, 100_KiB, 3, 3, 8, {16384, 16384, 8192}, {16384, 4096}},
      {1_B, 3_B, 3, 1, 3, {1}, {1}},
  };
  for (const Row& row : rows) {
    const Layout layout = single(row.piece, row.size);
    CHECK(layout.piece_count() == row.pieces);
    CHECK(layout.blocks_per_piece() == row.per_piece);
    CHECK(layout.block_count() == row.blocks);
    CHECK(lengths(layout, PieceIndex(0)) == row.first);
    CHECK(lengths(layout, PieceIndex(row.pieces - 1)) == row.last);
  }
}

TEST_CASE("an empty torrent has no pieces") {
  const Layout layout = single(16_KiB, 0_B);
  CHECK(layout.piece_count() == 0);
  CHECK(layout.block_count() == 0);
  CHECK(layout.blocks_covering({0_B, 100_B}).empty());
  CHECK(layout.block_at(PieceIndex(0), 0_B) == Layout::kNoBlock);
}

TEST_CASE("blocks of an odd piece length start anew with each piece") {
  const Layout layout = single(40_KiB, 100_KiB);
  CHECK(layout.span_of(BlockIndex(3)) == BlockSpan{PieceIndex(1), 0_B, 16_KiB});
  CHECK(layout.span_of(BlockIndex(5)) == BlockSpan{PieceIndex(1), 32_KiB, 8_KiB});
  CHECK(layout.span_of(BlockIndex(7)) == BlockSpan{PieceIndex(2), 16_KiB, 4_KiB});
  CHECK(layout.block_of(40_KiB - 1_B) == BlockIndex(2));
  CHECK(layout.block_of(40_KiB) == BlockIndex(3));
  CHECK(layout.blocks_covering({39_KiB, 41_KiB}) == BlockRange{BlockIndex(2), BlockIndex(4)});
}

TEST_CASE("a span that starts between blocks or outside names no block") {
  const Layout layout = single(40_KiB, 100_KiB);
  CHECK(layout.block_at(PieceIndex(1), 32_KiB) == BlockIndex(5));
  CHECK(layout.block_at(PieceIndex(1), 40_KiB) == Layout::kNoBlock);
  CHECK(layout.block_at(PieceIndex(1), 48_KiB) == Layout::kNoBlock);
  CHECK(layout.block_at(PieceIndex(1), 1_B) == Layout::kNoBlock);
  CHECK(layout.block_at(PieceIndex(1), Bytes(-16384)) == Layout::kNoBlock);
  CHECK(layout.block_at(PieceIndex(2), 16_KiB) == BlockIndex(7));
  CHECK(layout.block_at(PieceIndex(2), 32_KiB) == Layout::kNoBlock);
  CHECK(layout.block_at(PieceIndex(3), 0_B) == Layout::kNoBlock);
  CHECK(layout.block_at(PieceIndex(-1), 0_B) == Layout::kNoBlock);
}

TEST_CASE("explicit padding of a hybrid torrent cuts blocks short; the piece keeps its extent") {
  const Layout layout(
      info(64_KiB, 128_KiB, {file(0_B, 20_KiB), file(20_KiB, 44_KiB, true), file(64_KiB, 64_KiB)}));
  CHECK(layout.piece_range(PieceIndex(0)) == ByteRange{0_B, 64_KiB});
  CHECK(lengths(layout, PieceIndex(0)) == Lengths{16384, 4096, 0, 0});
  CHECK(lengths(layout, PieceIndex(1)) == Lengths{16384, 16384, 16384, 16384});
}

TEST_CASE("gaps that v2 alignment implies are padding as well") {
  const Layout layout(
      info(32_KiB, 65_KiB, {file(0_B, 1_KiB), file(32_KiB, 17_KiB), file(64_KiB, 1_KiB)}));
  CHECK(lengths(layout, PieceIndex(0)) == Lengths{1024, 0});
  CHECK(lengths(layout, PieceIndex(1)) == Lengths{16384, 1024});
  CHECK(lengths(layout, PieceIndex(2)) == Lengths{1024});
}

TEST_CASE("padding after the last file is padding to the end") {
  const Layout layout(info(32_KiB, 64_KiB, {file(0_B, 33_KiB)}));
  CHECK(lengths(layout, PieceIndex(1)) == Lengths{1024, 0});
}

TEST_CASE("empty files and empty pads cut nothing") {
  const Layout layout(
      info(32_KiB, 40_KiB,
           {file(0_B, 10_KiB), file(10_KiB, 0_B, true), file(10_KiB, 0_B), file(10_KiB, 30_KiB)}));
  CHECK(lengths(layout, PieceIndex(0)) == Lengths{16384, 16384});
  CHECK(lengths(layout, PieceIndex(1)) == Lengths{8192});
}

TEST_CASE("v1 padding that does not reach a piece's end is data like the rest") {
  // A block with a hole could be neither requested nor stored.
  const Layout layout(
      info(32_KiB, 64_KiB, {file(0_B, 10_KiB), file(10_KiB, 1_KiB, true), file(11_KiB, 53_KiB)}));
  CHECK(lengths(layout, PieceIndex(0)) == Lengths{16384, 16384});
}

TEST_CASE("pads in a row count as one") {
  const Layout layout(info(32_KiB, 64_KiB,
                           {file(0_B, 10_KiB), file(10_KiB, 2_KiB, true),
                            file(12_KiB, 20_KiB, true), file(32_KiB, 32_KiB)}));
  CHECK(lengths(layout, PieceIndex(0)) == Lengths{10240, 0});
  CHECK(lengths(layout, PieceIndex(1)) == Lengths{16384, 16384});
}

TEST_CASE("ranges are covered by the fewest blocks and cut to the torrent") {
  const Layout layout = single(32_KiB, 100_KiB);
  CHECK(layout.blocks_covering({0_B, 1_B}) == BlockRange{BlockIndex(0), BlockIndex(1)});
  CHECK(layout.blocks_covering({16_KiB - 1_B, 16_KiB + 1_B}) ==
        BlockRange{BlockIndex(0), BlockIndex(2)});
  CHECK(layout.blocks_covering({16_KiB, 32_KiB}) == BlockRange{BlockIndex(1), BlockIndex(2)});
  CHECK(layout.blocks_covering({Bytes(-5), 200_KiB}) == BlockRange{BlockIndex(0), BlockIndex(7)});
  CHECK(layout.blocks_covering({5_B, 5_B}).empty());
  CHECK(layout.blocks_covering({100_KiB, 200_KiB}).empty());
}

TEST_CASE("property: blocks tile the data, and every way to name a block agrees") {
  Random random(17);
  const auto up_to = [&](std::int64_t n) {
    return Bytes(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n))));
  };
  for (int round = 0; round < 200; ++round) {
    const bool aligned = random.chance(1, 2);
    const Bytes piece = aligned ? 16_KiB * (1 << random.below(4)) : 1_B + up_to(100'000);
    std::vector<FileEntry> files;
    Bytes at, data;
    for (std::uint64_t n = 1 + random.below(5); n > 0; --n) {
      if (aligned && at % piece != 0_B) {
        const Bytes pad = piece - at % piece;
        if (random.chance(1, 2)) files.push_back(file(at, pad, true));
        at += pad;
      }
      files.push_back(file(at, up_to(300'000)));
      at += files.back().length;
      data += files.back().length;
    }
    const Layout layout(info(piece, at, files));
    Bytes sum;
    int next = 0;
    for (PieceIndex p; p.value() < layout.piece_count(); ++p) {
      CHECK(layout.blocks_of(p).begin == BlockIndex(next));
      next = layout.blocks_of(p).end.value();
      for (BlockIndex b = layout.blocks_of(p).begin; b < layout.blocks_of(p).end; ++b) {
        const ByteRange range = layout.block_range(b);
        const BlockSpan span = layout.span_of(b);
        sum += range.size();
        CHECK(layout.piece_of(b) == p);
        CHECK(layout.block_of(range.begin) == b);
        CHECK(layout.piece_at(range.begin) == p);
        CHECK(span.piece == p);
        CHECK(span.length == range.size());
        CHECK(layout.block_at(p, span.begin) == b);
        CHECK(range.size() <= kBlockSize);
        CHECK(range.end <= layout.piece_range(p).end);
        if (!range.empty()) {
          CHECK(layout.blocks_covering(range) == BlockRange{b, b + 1});
        }
      }
    }
    CHECK(next == layout.block_count());
    CHECK(sum == data);
  }
}

}  // namespace
}  // namespace tributary::core
