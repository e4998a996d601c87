// Hashing for a publisher: bytes in, v2 leaves and v1 piece hashes out.
#pragma once

#include <span>
#include <vector>

#include "engine/base/units.h"
#include "engine/core/torrent_info.h"
#include "engine/wire/digester.h"

namespace tributary::wire {

// A .torrent's hash lists are kept under this size where the piece length allows it: small enough
// to fetch before play starts.
inline constexpr Bytes kTargetMetainfoSize = 256_KiB;

// The smallest power of two, from 16 KiB to kMaxPieceLength, whose v1 and v2 hashes of these files
// (52 bytes a piece) stay below kTargetMetainfoSize.
Bytes choose_piece_length(std::span<const Bytes> file_sizes);

struct HashedFiles {
  std::vector<std::vector<Sha256>> leaves;  // by file; none for an empty one
  std::vector<Bytes> lengths;               // by file
  std::vector<Sha1> piece_hashes;           // of the padded whole (BEP 47)
};

// Feed it the files of a torrent in their final order (path_less in metainfo_build.h). Holds one
// piece in memory. Tracks: the open file and the piece that is being filled.
class PieceHasher {
 public:
  // REQUIRES: piece_length a power of two of at least 16 KiB.
  PieceHasher(Bytes piece_length, const Digester& digester);

  // Ends the last file, if any; the next one will begin at a piece boundary.
  void begin_file();
  // More bytes of the open file, in portions of any size. REQUIRES: a file is open.
  void add(Octets bytes);
  // Ends the last file. The hasher is spent.
  HashedFiles finish();

 private:
  void end_file();
  void close_block();
  void close_piece();

  std::size_t piece_size_;
  Digester digester_;
  OctetBuffer piece_;            // bytes of the open piece, below piece_size_
  std::size_t block_begin_ = 0;  // of the open block, within piece_
  HashedFiles out_;
};

}  // namespace tributary::wire
