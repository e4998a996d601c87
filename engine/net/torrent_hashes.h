// Checking a torrent's bytes against its metainfo, v1 and v2. Functions of their arguments; any
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/core/layout.h"
#include "engine/core/message.h"
#include "engine/core/torrent_info.h"
#include "engine/wire/merkle.h"

namespace tributary::net {

enum class Verdict {
  kGood,
  kBad,
  // A hybrid piece that fits one of its two hashes only. Its bytes are not to blame: the metainfo
  // contradicts itself, or SHA-1 was made to collide. BEP 52 asks to stop the torrent.
  kVersionsDisagree,
};

struct PieceCheck {
  Verdict verdict = Verdict::kBad;
  // SHA-256 of each block, zero for one that is all padding. Empty where they would cost extra work
  // that was not asked for, and where blocks have the wrong size.
  std::vector<Sha256> digests;
};

// A torrent's hashes, prepared for checking. Immutable, hence shared between threads.
class TorrentHashes {
 public:
  // Costs one SHA-256 per v2 piece. REQUIRES: info is not null.
  explicit TorrentHashes(std::shared_ptr<const core::TorrentInfo> info);

  const core::TorrentInfo& info() const { return *info_; }
  const core::Layout& layout() const { return layout_; }

  // The v2 tree of the file that the piece belongs to, and the piece's place in that file.
  struct Place {
    const wire::FileTree* tree = nullptr;
    std::int32_t piece_in_file = 0;
  };
  // Nothing in a v1 torrent, for a piece of padding, and where the metainfo lacks the piece layer
  // or has a false one. REQUIRES: the piece exists.
  std::optional<Place> place_of(core::PieceIndex piece) const;
  // The tree with this root, and its file; null when there is none.
  const wire::FileTree* tree(const Sha256& pieces_root) const;

  // A whole piece, given as its blocks' bytes without padding, against all hashes the metainfo has
  // for it; kBad when it has none. The digests are there when the piece is bad, when
  // `want_digests`, and when v2 needs them anyway. REQUIRES: one entry per block of the piece.
  PieceCheck check_piece(core::PieceIndex piece, std::span<const wire::Octets> blocks,
                         bool want_digests = false) const;
  // A peer's leaf hashes of a piece. When they add up, the leaves, one per block of the piece in
  // the layout, zero for blocks that are all padding; else empty.
  std::vector<Sha256> check_leaves(core::PieceIndex piece, const core::Hashes& message) const;

 private:
  struct File {
    ByteRange range;
    Sha256 root;
    wire::FileTree tree;
  };
  bool sizes_fit(core::PieceIndex piece, std::span<const wire::Octets> blocks) const;
  bool matches_v1(core::PieceIndex piece, std::span<const wire::Octets> blocks) const;
  bool matches_v2(const Place& place, std::span<const Sha256> digests) const;

  std::shared_ptr<const core::TorrentInfo> info_;
  core::Layout layout_;
  std::vector<File> files_;  // v2 files in torrent order
};

}  // namespace tributary::net
