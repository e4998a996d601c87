// Which content a torrent's blocks belong to. The store keeps contents, not torrents, so that the
// same file in two torrents is stored once.
//
// A content is one of
//   leaves   a v2 file, named by its pieces root: "<root>-<length>". Taken for v2 and hybrid
//   torrents
//            whose files start on piece boundaries and, in a hybrid, whose piece layers are known
//            and fold to the root; so whoever verified a block verified it against that root.
//   pieces   a v1 file where every file starts on a piece boundary: "<SHA-256 of: "tributary v1
//   file",
//            piece length and file length as big-endian 64-bit, the piece hashes that cover
//            it>-<length>". Names and the rest of the torrent do not enter.
//   pieces   a whole torrent where pieces cross files: "<SHA-256 of "tributary v1 torrent" and the
//            info-hashes>-<total size>"; its space is the torrent's, padding included as holes.
// The length is part of the name because a hostile torrent may pair a known root with another
// length.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/units.h"
#include "engine/core/ids.h"
#include "engine/core/layout.h"
#include "engine/core/torrent_info.h"

namespace tributary::net {

// What a content is, apart from what is stored of it. Immutable.
struct ContentShape {
  std::string key;           // a safe file name: lower-case hex, '-', decimal length
  core::Layout layout;       // of the content's own space, which starts at zero
  bool by_pieces = false;    // checked by v1 piece, else by v2 leaf
  std::vector<Sha1> pieces;  // by_pieces
  Bytes tail_padding;        // by_pieces: zeros that the last piece's hash covers after the content
  // v2: the roots of `blocks_per_root` leaves each, where known; empty else.
  std::vector<Sha256> roots;
  std::int32_t blocks_per_root = 0;

  std::int32_t block_count() const { return layout.block_count(); }
};

// A run of a torrent's blocks that are the blocks of one content, from its first.
struct Placement {
  core::BlockRange blocks;  // in the torrent
  ContentShape shape;
};

// In torrent order, without blocks that are all padding after a file. REQUIRES: layout is info's.
std::vector<Placement> place_contents(const core::TorrentInfo& info, const core::Layout& layout);

// Whether the text could have come from place_contents; a guard before names become paths.
bool is_content_key(std::string_view text);

}  // namespace tributary::net
