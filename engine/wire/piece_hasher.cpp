#include "engine/wire/piece_hasher.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "engine/base/check.h"
#include "engine/wire/metainfo.h"

namespace tributary::wire {
namespace {

constexpr std::size_t kBlock = static_cast<std::size_t>(core::kBlockSize.count());

Bytes hash_list_size(std::span<const Bytes> file_sizes, Bytes piece_length) {
  Bytes sum;
  for (Bytes size : file_sizes) {
    const std::int64_t pieces = size / piece_length + (size % piece_length != 0_B ? 1 : 0);
    sum += Bytes(Sha1::kSize + Sha256::kSize) * pieces;
  }
  return sum;
}

}  // namespace

Bytes choose_piece_length(std::span<const Bytes> file_sizes) {
  Bytes length = core::kBlockSize;
  while (length < kMaxPieceLength && hash_list_size(file_sizes, length) >= kTargetMetainfoSize) {
    length = length * 2;
  }
  return length;
}

PieceHasher::PieceHasher(Bytes piece_length, const Digester& digester)
    : piece_size_(static_cast<std::size_t>(piece_length.count())), digester_(digester) {
  TRIBUTARY_CHECK(piece_length >= core::kBlockSize && std::has_single_bit(piece_size_));
}

void PieceHasher::begin_file() {
  end_file();
  out_.leaves.emplace_back();
  out_.lengths.emplace_back();
}

void PieceHasher::end_file() {
  if (piece_.size() > block_begin_) close_block();
}

void PieceHasher::close_block() {
  out_.leaves.back().push_back(digester_.sha256(Octets(piece_).subspan(block_begin_)));
  block_begin_ = piece_.size();
}

void PieceHasher::close_piece() {
  out_.piece_hashes.push_back(digester_.sha1(piece_));
  piece_.clear();
  block_begin_ = 0;
}

void PieceHasher::add(Octets bytes) {
  TRIBUTARY_CHECK(!out_.lengths.empty());
  if (bytes.empty()) return;
  // The first bytes of a file after one that ended within a piece: pad it (BEP 47).
  if (out_.lengths.back() == 0_B && !piece_.empty()) {
    piece_.resize(piece_size_, 0);
    close_piece();
  }
  out_.lengths.back() += Bytes(static_cast<std::int64_t>(bytes.size()));
  while (!bytes.empty()) {
    const std::size_t room = block_begin_ + kBlock - piece_.size();
    const std::size_t n = std::min(room, bytes.size());
    append(piece_, bytes.first(n));
    bytes = bytes.subspan(n);
    if (n == room) close_block();
    if (piece_.size() == piece_size_) close_piece();
  }
}

HashedFiles PieceHasher::finish() {
  end_file();
  if (!piece_.empty()) close_piece();
  return std::move(out_);
}

}  // namespace tributary::wire
