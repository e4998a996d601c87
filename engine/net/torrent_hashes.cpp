#include "engine/net/torrent_hashes.h"

#include <algorithm>
#include <array>
#include <bit>

#include "engine/base/check.h"
#include "engine/net/digests.h"

namespace tributary::net {
namespace {

bool has_usable_tree(const core::FileEntry& file, Bytes piece_length) {
  if (file.pad || !file.pieces_root || file.length <= 0_B) return false;
  if (file.length <= piece_length) return file.piece_layer.empty();
  const auto pieces = (file.length + piece_length - 1_B) / piece_length;
  return std::ssize(file.piece_layer) == pieces &&
         wire::piece_layer_matches(file.piece_layer, *file.pieces_root, piece_length, kDigester);
}

bool is_v2_piece_length(Bytes length) {
  return length >= core::kBlockSize &&
         std::has_single_bit(static_cast<std::uint64_t>(length.count()));
}

void update_zeros(Sha1Digesting& digest, Bytes count) {
  static constexpr std::array<std::uint8_t, 4096> kZeros{};
  auto left = static_cast<std::size_t>(std::max(count, 0_B).count());
  while (left > 0) {
    const std::size_t step = std::min(left, kZeros.size());
    digest.update(std::span(kZeros).first(step));
    left -= step;
  }
}

std::vector<Sha256> digests_of(std::span<const wire::Octets> blocks) {
  std::vector<Sha256> digests(blocks.size());
  sha256_each(blocks, digests);
  return digests;
}

// Nodes under one piece root: a whole piece's, or for a file of one piece the file's own.
std::size_t tree_width(const wire::FileTree& tree, std::int32_t blocks_per_piece) {
  const auto whole = static_cast<std::uint32_t>(blocks_per_piece);
  return std::bit_ceil(std::min(tree.leaf_count(), whole));
}

}  // namespace

TorrentHashes::TorrentHashes(std::shared_ptr<const core::TorrentInfo> info)
    : info_(std::move(info)), layout_((TRIBUTARY_CHECK(info_ != nullptr), *info_)) {
  if (!info_->has_v2() || !is_v2_piece_length(info_->piece_length)) return;
  for (const core::FileEntry& file : info_->files) {
    if (!has_usable_tree(file, info_->piece_length)) continue;
    files_.push_back(
        {file.range(), *file.pieces_root, wire::FileTree(file, info_->piece_length, kDigester)});
  }
}

std::optional<TorrentHashes::Place> TorrentHashes::place_of(core::PieceIndex piece) const {
  const Bytes begin = layout_.piece_range(piece).begin;
  const auto file = std::partition_point(files_.begin(), files_.end(),
                                         [&](const File& f) { return f.range.end <= begin; });
  if (file == files_.end() || !file->range.contains(begin)) return std::nullopt;
  const auto index = (begin - file->range.begin) / layout_.piece_length();
  return Place{&file->tree, static_cast<std::int32_t>(index)};
}

const wire::FileTree* TorrentHashes::tree(const Sha256& pieces_root) const {
  const auto file = std::find_if(files_.begin(), files_.end(),
                                 [&](const File& f) { return f.root == pieces_root; });
  return file == files_.end() ? nullptr : &file->tree;
}

bool TorrentHashes::sizes_fit(core::PieceIndex piece, std::span<const wire::Octets> blocks) const {
  const core::BlockRange range = layout_.blocks_of(piece);
  TRIBUTARY_CHECK(std::ssize(blocks) == range.size());
  for (core::BlockIndex b = range.begin; b < range.end; ++b) {
    const auto size = std::ssize(blocks[static_cast<std::size_t>(b - range.begin)]);
    if (size != layout_.block_range(b).size().count()) return false;
  }
  return true;
}

PieceCheck TorrentHashes::check_piece(core::PieceIndex piece, std::span<const wire::Octets> blocks,
                                      bool want_digests) const {
  PieceCheck check;
  if (!sizes_fit(piece, blocks)) return check;
  const auto place = place_of(piece);
  const bool has_v1 = static_cast<std::size_t>(piece.value()) < info_->piece_hashes.size();
  const bool v1 = has_v1 && matches_v1(piece, blocks);
  if (place || want_digests || !v1) check.digests = digests_of(blocks);
  const bool v2 = place && matches_v2(*place, check.digests);
  const bool both = has_v1 && place;
  if (both && v1 != v2) {
    check.verdict = Verdict::kVersionsDisagree;
  } else if (v1 || v2) {
    check.verdict = Verdict::kGood;
  }
  return check;
}

// v1 hashes torrent space as it is, padding as zeros.
bool TorrentHashes::matches_v1(core::PieceIndex piece, std::span<const wire::Octets> blocks) const {
  Sha1Digesting digest;
  Bytes left = layout_.piece_range(piece).size();
  for (const wire::Octets block : blocks) {
    const Bytes data(std::ssize(block));
    const Bytes whole = std::min(core::kBlockSize, left);
    digest.update(block);
    update_zeros(digest, whole - data);
    left -= whole;
  }
  return digest.finish() == info_->piece_hashes[static_cast<std::size_t>(piece.value())];
}

bool TorrentHashes::matches_v2(const Place& place, std::span<const Sha256> digests) const {
  const auto padding = std::find_if(digests.begin(), digests.end(),
                                    [](const Sha256& digest) { return digest.is_zero(); });
  const std::span<const Sha256> leaves(digests.begin(), padding);
  const std::size_t width = tree_width(*place.tree, layout_.blocks_per_piece());
  if (leaves.empty() || leaves.size() > width) return false;
  return wire::merkle_root(leaves, 0, width, kDigester) ==
         place.tree->piece_root(place.piece_in_file);
}

std::vector<Sha256> TorrentHashes::check_leaves(core::PieceIndex piece,
                                                const core::Hashes& message) const {
  const auto place = place_of(piece);
  if (!place) return {};
  auto leaves = place->tree->check_leaves(place->piece_in_file, message, kDigester);
  if (!leaves) return {};
  leaves->resize(static_cast<std::size_t>(layout_.blocks_of(piece).size()));
  return std::move(leaves).value();
}

}  // namespace tributary::net
