// The SHA-256 trees of BEP 52: one per file, over its 16 KiB blocks.
//
// Layer 0 holds the leaves (block hashes); each next layer halves. The leaves are filled up with
// zero hashes to a power of two, at least a whole piece where the file is larger than a piece.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/core/message.h"
#include "engine/core/torrent_info.h"
#include "engine/wire/digester.h"

namespace tributary::wire {

// Hashes in one request. BEP 52 advises 512; libtorrent serves up to 8192, which covers the
// largest piece here in one message.
inline constexpr std::uint32_t kMaxHashesPerRequest = 8192;
// Layers of any tree: 2^28 blocks (kMaxBlocks in metainfo.h) have 28 layers above the leaves.
inline constexpr int kMaxTreeHeight = 28;

// The layer of a tree that is all filling: zero at layer 0, its own pair hash above.
Sha256 filling_hash(int layer, const Digester& digester);

// The root over `nodes` of the given layer, filled up to `width` nodes.
// REQUIRES: width is a power of two, 0 < nodes.size() <= width.
Sha256 merkle_root(std::span<const Sha256> nodes, int layer, std::size_t width,
                   const Digester& digester);

// What the info dictionary and "piece layers" say of a file.
struct FileHashes {
  Sha256 pieces_root;
  std::vector<Sha256> piece_layer;  // empty when the file fits one piece
};

// REQUIRES: leaves not empty; piece_length a power of two of at least 16 KiB.
FileHashes hash_file_tree(std::span<const Sha256> leaves, Bytes piece_length,
                          const Digester& digester);

// Whether the piece layer adds up to the root. REQUIRES: piece_length as above.
bool piece_layer_matches(std::span<const Sha256> piece_layer, const Sha256& pieces_root,
                         Bytes piece_length, const Digester& digester);

// The tree of one file as far as its piece layer tells, for serving and checking hashes.
class FileTree {
 public:
  // REQUIRES: a non-empty v2 file whose piece layer, if it needs one, is present and verified.
  FileTree(const core::FileEntry& file, Bytes piece_length, const Digester& digester);

  // Layers above the leaves.
  int height() const { return height_; }
  int piece_layer() const { return piece_layer_; }
  // Blocks of the file, filling not counted.
  std::uint32_t leaf_count() const { return leaf_count_; }

  // The request for the leaf hashes of one piece of the file (0 = its first), without uncles since
  // the piece's root is known. Nothing when the piece is a single block: its root is its leaf.
  std::optional<core::HashSpan> leaf_request(std::int32_t piece_in_file) const;
  // The root of one piece. REQUIRES: 0 <= piece_in_file < pieces of the file.
  const Sha256& piece_root(std::int32_t piece_in_file) const;
  // The leaf hashes of the piece, one per block, when the message is a true answer to
  // leaf_request(piece_in_file), with uncles or without; else an error that says what is wrong.
  Result<std::vector<Sha256>> check_leaves(std::int32_t piece_in_file, const core::Hashes& message,
                                           const Digester& digester) const;

  // Whether a request makes sense for this tree (BEP 52): a power of two of hashes, aligned, within
  // the tree, its uncles too.
  Result<void> check_request(const core::HashSpan& span) const;
  // The hashes of an answer. `leaves` are the file's leaf hashes as far as they are known, zero for
  // unknown ones; kNotFound when the request needs one of those. They begin at the file's leaf
  // `first_leaf`.
  Result<std::vector<Sha256>> serve(const core::HashSpan& span, std::span<const Sha256> leaves,
                                    const Digester& digester, std::uint32_t first_leaf = 0) const;

 private:
  Result<Sha256> node(int layer, std::uint32_t index, std::span<const Sha256> leaves,
                      std::uint32_t first_leaf, const Digester& digester) const;

  Sha256 pieces_root_;
  int height_ = 0;
  int piece_layer_ = 0;
  std::uint32_t leaf_count_ = 0;
  // From the piece layer (or, for a file of one piece, the root) up to the root, filled up.
  std::vector<std::vector<Sha256>> upper_;
};

// The node at the top of a hashes message: where it is and what it must hash to if the message is
// true. An error when the counts do not fit the span.
struct ProvenNode {
  int layer = 0;
  std::uint32_t index = 0;
  Sha256 hash;
};
Result<ProvenNode> fold_hashes(const core::HashSpan& span, std::span<const Sha256> hashes,
                               const Digester& digester);

}  // namespace tributary::wire
