#include "engine/core/layout.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::core {
namespace {

std::int32_t ceil_div(Bytes a, Bytes b) {
  return static_cast<std::int32_t>((a.count() + b.count() - 1) / b.count());
}

}  // namespace

Layout::Layout(const TorrentInfo& info)
    : piece_length_(info.piece_length), total_size_(info.total_size) {
  TRIBUTARY_CHECK(piece_length_ > 0_B);
  piece_count_ = ceil_div(total_size_, piece_length_);
  blocks_per_piece_ = ceil_div(piece_length_, kBlockSize);
  const Bytes tail = total_size_ - piece_length_ * std::max(piece_count_ - 1, 0);
  block_count_ =
      piece_count_ == 0 ? 0 : (piece_count_ - 1) * blocks_per_piece_ + ceil_div(tail, kBlockSize);
  find_padding(info);
}

// Only padding that reaches a piece's end cuts blocks short. Any other, which no honest v1 torrent
// has, is data like the rest: a block with a hole could not be expressed.
void Layout::find_padding(const TorrentInfo& info) {
  std::vector<ByteRange> runs;
  const auto append = [&runs](ByteRange r) {
    if (r.empty()) return;
    if (!runs.empty() && runs.back().end == r.begin) {
      runs.back().end = r.end;
    } else {
      runs.push_back(r);
    }
  };
  Bytes at;
  for (const FileEntry& file : info.files) {
    append({at, file.offset});
    if (file.pad) append(file.range());
    at = file.offset + file.length;
  }
  append({at, total_size_});
  for (const ByteRange& run : runs) {
    if (run.end % piece_length_ == 0_B || run.end == total_size_) padding_.push_back(run);
  }
}

ByteRange Layout::piece_range(PieceIndex piece) const {
  const Bytes begin = piece_length_ * piece.value();
  return {begin, std::min(begin + piece_length_, total_size_)};
}

BlockRange Layout::blocks_of(PieceIndex piece) const {
  const BlockIndex begin(piece.value() * blocks_per_piece_);
  return {begin, std::min(begin + blocks_per_piece_, BlockIndex(block_count_))};
}

// Padding only ever follows data within a block: see find_padding.
Bytes Layout::data_end(Bytes begin, Bytes end) const {
  const auto pad = std::partition_point(padding_.begin(), padding_.end(),
                                        [&](ByteRange p) { return p.end <= begin; });
  return pad == padding_.end() ? end : std::clamp(pad->begin, begin, end);
}

ByteRange Layout::block_range(BlockIndex block) const {
  const PieceIndex piece = piece_of(block);
  const ByteRange whole = piece_range(piece);
  const Bytes begin = whole.begin + kBlockSize * (block - blocks_of(piece).begin);
  return {begin, data_end(begin, std::min(begin + kBlockSize, whole.end))};
}

BlockSpan Layout::span_of(BlockIndex block) const {
  const PieceIndex piece = piece_of(block);
  const ByteRange bytes = block_range(block);
  return {piece, bytes.begin - piece_range(piece).begin, bytes.size()};
}

BlockIndex Layout::block_at(PieceIndex piece, Bytes begin) const {
  if (piece.value() < 0 || piece.value() >= piece_count_ || begin < 0_B) return kNoBlock;
  if (begin % kBlockSize != 0_B || begin >= piece_range(piece).size()) return kNoBlock;
  return blocks_of(piece).begin + static_cast<std::int32_t>(begin / kBlockSize);
}

PieceIndex Layout::piece_at(Bytes offset) const {
  return PieceIndex(static_cast<std::int32_t>(offset / piece_length_));
}

BlockIndex Layout::block_of(Bytes offset) const {
  const PieceIndex piece = piece_at(offset);
  return blocks_of(piece).begin +
         static_cast<std::int32_t>((offset - piece_range(piece).begin) / kBlockSize);
}

BlockRange Layout::blocks_covering(ByteRange bytes) const {
  bytes = intersect(bytes, {0_B, total_size_});
  if (bytes.empty()) return {};
  return {block_of(bytes.begin), block_of(bytes.end - 1_B) + 1};
}

}  // namespace tributary::core
