#include "engine/wire/merkle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>

#include "engine/base/check.h"

namespace tributary::wire {
namespace {

Sha256 hash_pair(const Sha256& left, const Sha256& right, const Digester& digester) {
  std::array<std::uint8_t, 2 * Sha256::kSize> both;
  std::copy(left.bytes.begin(), left.bytes.end(), both.begin());
  std::copy(right.bytes.begin(), right.bytes.end(), both.begin() + Sha256::kSize);
  return digester.sha256(both);
}

int log2_of(std::uint64_t power) { return std::countr_zero(power); }

std::uint32_t blocks_per_piece(Bytes piece_length) {
  return static_cast<std::uint32_t>(piece_length / core::kBlockSize);
}

// Halves the layer in place; the odd node out is paired with filling.
void halve(std::vector<Sha256>& nodes, const Sha256& filling, const Digester& digester) {
  const std::size_t parents = (nodes.size() + 1) / 2;
  for (std::size_t i = 0; i < parents; ++i) {
    const Sha256& right = 2 * i + 1 < nodes.size() ? nodes[2 * i + 1] : filling;
    nodes[i] = hash_pair(nodes[2 * i], right, digester);
  }
  nodes.resize(parents);
}

// Uncles that a message carries (BEP 52): one per proof layer, but for the layers that the base
// hashes themselves give.
std::uint32_t uncle_count(const core::HashSpan& span) {
  const auto given = static_cast<std::uint32_t>(log2_of(span.length) - 1);
  return span.proof_layers > given ? span.proof_layers - given : 0;
}

}  // namespace

Sha256 filling_hash(int layer, const Digester& digester) {
  Sha256 hash;
  for (int i = 0; i < layer; ++i) hash = hash_pair(hash, hash, digester);
  return hash;
}

Sha256 merkle_root(std::span<const Sha256> nodes, int layer, std::size_t width,
                   const Digester& digester) {
  TRIBUTARY_CHECK(std::has_single_bit(width) && !nodes.empty() && nodes.size() <= width);
  std::vector<Sha256> row(nodes.begin(), nodes.end());
  Sha256 filling = filling_hash(layer, digester);
  for (; width > 1; width /= 2) {
    halve(row, filling, digester);
    filling = hash_pair(filling, filling, digester);
  }
  return row.front();
}

FileHashes hash_file_tree(std::span<const Sha256> leaves, Bytes piece_length,
                          const Digester& digester) {
  const std::size_t per_piece = blocks_per_piece(piece_length);
  FileHashes out;
  if (leaves.size() <= per_piece) {
    out.pieces_root = merkle_root(leaves, 0, std::bit_ceil(leaves.size()), digester);
    return out;
  }
  for (std::size_t at = 0; at < leaves.size(); at += per_piece) {
    const auto piece = leaves.subspan(at, std::min(per_piece, leaves.size() - at));
    out.piece_layer.push_back(merkle_root(piece, 0, per_piece, digester));
  }
  out.pieces_root = merkle_root(out.piece_layer, log2_of(per_piece),
                                std::bit_ceil(out.piece_layer.size()), digester);
  return out;
}

bool piece_layer_matches(std::span<const Sha256> piece_layer, const Sha256& pieces_root,
                         Bytes piece_length, const Digester& digester) {
  return !piece_layer.empty() &&
         merkle_root(piece_layer, log2_of(blocks_per_piece(piece_length)),
                     std::bit_ceil(piece_layer.size()), digester) == pieces_root;
}

FileTree::FileTree(const core::FileEntry& file, Bytes piece_length, const Digester& digester) {
  TRIBUTARY_CHECK(file.pieces_root.has_value() && file.length > 0_B);
  pieces_root_ = *file.pieces_root;
  leaf_count_ =
      static_cast<std::uint32_t>((file.length + core::kBlockSize - 1_B) / core::kBlockSize);
  if (file.piece_layer.empty()) {
    height_ = piece_layer_ = log2_of(std::bit_ceil(leaf_count_));
    upper_.push_back({pieces_root_});
    return;
  }
  piece_layer_ = log2_of(blocks_per_piece(piece_length));
  std::vector<Sha256> row = file.piece_layer;
  const std::size_t width = std::bit_ceil(row.size());
  height_ = piece_layer_ + log2_of(width);
  row.resize(width, filling_hash(piece_layer_, digester));
  upper_.push_back(row);
  while (row.size() > 1) {
    halve(row, row.back(), digester);
    upper_.push_back(row);
  }
  TRIBUTARY_CHECK(row.front() == pieces_root_);
}

const Sha256& FileTree::piece_root(std::int32_t piece_in_file) const {
  return upper_.front().at(static_cast<std::size_t>(piece_in_file));
}

std::optional<core::HashSpan> FileTree::leaf_request(std::int32_t piece_in_file) const {
  if (piece_layer_ == 0) return std::nullopt;
  const std::uint32_t length = 1U << piece_layer_;
  return core::HashSpan{.pieces_root = pieces_root_,
                        .base_layer = 0,
                        .index = static_cast<std::uint32_t>(piece_in_file) * length,
                        .length = length,
                        .proof_layers = 0};
}

Result<std::vector<Sha256>> FileTree::check_leaves(std::int32_t piece_in_file,
                                                   const core::Hashes& message,
                                                   const Digester& digester) const {
  if (piece_in_file < 0 || std::int64_t{piece_in_file} << piece_layer_ >= leaf_count_) {
    return invalid("hashes for a piece that the file has not");
  }
  const auto request = leaf_request(piece_in_file);
  if (!request) return invalid("hashes for a piece that needs none");
  const core::HashSpan& span = message.span;
  if (span.pieces_root != request->pieces_root || span.base_layer != 0 ||
      span.index != request->index || span.length != request->length) {
    return invalid("hashes for another range than the piece's leaves");
  }
  const std::span<const Sha256> all(message.hashes);
  if (all.size() < span.length) return invalid("fewer hashes than the message speaks of");
  const auto leaves = all.first(span.length);
  if (merkle_root(leaves, 0, span.length, digester) != piece_root(piece_in_file)) {
    return invalid("leaf hashes do not add up to the piece's root");
  }
  const std::uint32_t present = std::min(span.length, leaf_count_ - span.index);
  return std::vector<Sha256>(leaves.begin(), leaves.begin() + present);
}

Result<void> FileTree::check_request(const core::HashSpan& span) const {
  if (span.pieces_root != pieces_root_) return invalid("hash request for another file");
  if (!std::has_single_bit(span.length) || span.length < 2 || span.length > kMaxHashesPerRequest) {
    return invalid("hash request for a count that is no power of two from 2 to " +
                   std::to_string(kMaxHashesPerRequest));
  }
  if (span.base_layer >= static_cast<std::uint32_t>(height_)) {
    return invalid("hash request above the tree's root");
  }
  const std::uint32_t width = 1U << (static_cast<std::uint32_t>(height_) - span.base_layer);
  if (span.index % span.length != 0 || span.length > width || span.index > width - span.length) {
    return invalid("hash request that is not aligned or beyond the tree");
  }
  if (span.proof_layers >= static_cast<std::uint32_t>(height_) - span.base_layer) {
    return invalid("hash request for uncles beyond the root");
  }
  return {};
}

Result<Sha256> FileTree::node(int layer, std::uint32_t index, std::span<const Sha256> leaves,
                              std::uint32_t first_leaf, const Digester& digester) const {
  if (layer >= piece_layer_) return upper_[static_cast<std::size_t>(layer - piece_layer_)][index];
  const std::uint32_t width = 1U << layer;
  const std::uint32_t begin = index * width;
  if (begin >= leaf_count_) return filling_hash(layer, digester);
  const std::uint32_t end = std::min(begin + width, leaf_count_);
  if (begin < first_leaf || end - first_leaf > leaves.size())
    return Error{ErrorCode::kNotFound, "leaf hashes are not known"};
  const auto known = leaves.subspan(begin - first_leaf, end - begin);
  if (std::any_of(known.begin(), known.end(), [](const Sha256& h) { return h.is_zero(); })) {
    return Error{ErrorCode::kNotFound, "leaf hashes are not known"};
  }
  return merkle_root(known, 0, width, digester);
}

Result<std::vector<Sha256>> FileTree::serve(const core::HashSpan& span,
                                            std::span<const Sha256> leaves,
                                            const Digester& digester,
                                            std::uint32_t first_leaf) const {
  if (auto sound = check_request(span); !sound) return sound.error();
  std::vector<Sha256> out;
  const int base = static_cast<int>(span.base_layer);
  for (std::uint32_t i = 0; i < span.length; ++i) {
    TRIBUTARY_TRY(hash, node(base, span.index + i, leaves, first_leaf, digester));
    out.push_back(hash);
  }
  int layer = base + log2_of(span.length);
  std::uint32_t index = span.index / span.length;
  for (std::uint32_t left = uncle_count(span); left > 0; --left, ++layer, index /= 2) {
    TRIBUTARY_TRY(uncle, node(layer, index ^ 1, leaves, first_leaf, digester));
    out.push_back(uncle);
  }
  return out;
}

Result<ProvenNode> fold_hashes(const core::HashSpan& span, std::span<const Sha256> hashes,
                               const Digester& digester) {
  if (!std::has_single_bit(span.length) || span.length < 2 || span.length > kMaxHashesPerRequest ||
      span.index % span.length != 0 || span.base_layer > kMaxTreeHeight ||
      span.proof_layers > kMaxTreeHeight) {
    return invalid("hashes for a range that no request may have");
  }
  if (hashes.size() != span.length + uncle_count(span)) {
    return invalid("the count of hashes does not fit their range");
  }
  ProvenNode top{static_cast<int>(span.base_layer) + log2_of(span.length), span.index / span.length,
                 merkle_root(hashes.first(span.length), 0, span.length, digester)};
  for (const Sha256& uncle : hashes.subspan(span.length)) {
    top.hash = top.index % 2 == 0 ? hash_pair(top.hash, uncle, digester)
                                  : hash_pair(uncle, top.hash, digester);
    top.index /= 2;
    ++top.layer;
  }
  return top;
}

}  // namespace tributary::wire
