// The .torrent file, written: always a hybrid (BEP 52 file tree, BEP 47 padding), so that every
// client can take part.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/torrent_info.h"
#include "engine/wire/digester.h"

namespace tributary::wire {

struct PublishedFile {
  std::string path;  // components joined with '/'; ignored for a single file
  Bytes length;
  std::vector<Sha256> leaves;  // SHA-256 of each 16 KiB block (PieceHasher)
  core::FileHints hints;
};

struct Publication {
  std::string name;
  bool multi_file = false;           // false: exactly one file, whose path is the name
  Bytes piece_length;                // choose_piece_length
  std::vector<PublishedFile> files;  // in the order of path_less
  std::vector<Sha1> piece_hashes;    // of the files with padding between them (PieceHasher)
  std::vector<std::vector<std::string>> trackers;  // tiers
  std::vector<std::string> edges;                  // web seeds
  bool is_private = false;
};

// The order of files in a v2 tree: by component, bytewise. v1 pieces follow the same order.
bool path_less(std::string_view a, std::string_view b);

// The bytes of the .torrent, such that parse_metainfo reads the same back. Errors name the file or
// key that is wrong: an unsafe path, files out of order, hashes that do not fit the lengths.
Result<OctetBuffer> build_metainfo(const Publication& publication, const Digester& digester);

}  // namespace tributary::wire
