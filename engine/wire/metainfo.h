// The .torrent file, read: v1 (BEP 3), v2 (BEP 52) and hybrid, with padding (BEP 47), tracker tiers
// (BEP 12), web seeds (BEP 19), DHT nodes (BEP 5) and the private flag (BEP 27). Writing is in
// metainfo_build.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/core/torrent_info.h"
#include "engine/wire/digester.h"

namespace tributary::wire {

// Limits, each with its reason. Whatever is over one is refused with kLimit, but for trackers,
// edges, DHT nodes and hints, whose surplus is dropped.
inline constexpr Bytes kMaxMetainfoSize = 64_MiB;    // memory while reading: a few times this
inline constexpr Bytes kMaxPieceLength = 64_MiB;     // a v1 piece is verified whole
inline constexpr std::int64_t kMaxPieces = 1 << 21;  // their hashes are 40 MB (v1), 64 MB (v2)
inline constexpr std::int64_t kMaxBlocks = 1 << 28;  // 4 TiB; BlockIndex has 31 bits
inline constexpr Bytes kMaxTotalSize = Bytes(std::int64_t{1} << 42);  // the same as bytes
inline constexpr std::size_t kMaxFiles = 1 << 16;
inline constexpr std::size_t kMaxPathDepth = 32;         // file systems and bencode nesting
inline constexpr std::size_t kMaxComponentLength = 255;  // bytes; NAME_MAX of Linux
inline constexpr std::size_t kMaxPathLength = 2048;      // bytes; leaves PATH_MAX room for a folder
inline constexpr std::size_t kMaxTrackers = 256;         // over all tiers
inline constexpr std::size_t kMaxEdges = 64;
inline constexpr std::size_t kMaxDhtNodes = 32;
inline constexpr std::size_t kMaxHostLength = 120;      // longer names are left out
inline constexpr std::size_t kMaxHintPoints = 1 << 16;  // per file: 18 h of one-second points

// Reads a whole .torrent. Every hash list is complete, piece layers are verified against their
// roots, paths are safe to join to a folder, v1 and v2 agree in a hybrid. A v2-only torrent's files
// lie in torrent space at piece boundaries, with gaps for the padding that v2 implies.
//
// Errors name the key: "info.files[3].path: component \"..\" would leave the folder".
Result<core::Metainfo> parse_metainfo(Octets torrent, const Digester& digester);

}  // namespace tributary::wire
