// Indices and ids of the core.
#pragma once

#include <cstdint>

#include "engine/base/strong.h"
#include "engine/base/units.h"

namespace tributary::core {

// The unit of transfer (BEP 3 by custom) and of v2 leaf hashes (BEP 52).
inline constexpr Bytes kBlockSize = 16_KiB;

using PieceIndex = Index<struct PieceIndexTag>;
// Counts blocks over the whole torrent: piece * blocks-per-piece + block in the piece.
using BlockIndex = Index<struct BlockIndexTag>;
using FileIndex = Index<struct FileIndexTag>;

// Chosen by whoever opens the thing, unique within one node, never reused.
using TorrentId = Id<struct TorrentIdTag, std::uint32_t>;
using ConnId = Id<struct ConnIdTag, std::uint64_t>;
using CdnRequestId = Id<struct CdnRequestIdTag, std::uint64_t>;
// Drawn at random by who asks: names a query of the overlay wherever it goes.
using QueryId = Id<struct QueryIdTag, std::uint64_t>;
using VerifyId = Id<struct VerifyIdTag, std::uint64_t>;
// Who reads a file beside playback, see SetReader.
using ReaderId = Id<struct ReaderIdTag, std::uint64_t>;
inline constexpr ReaderId kNoReader{};

// A payload held by the host (real bytes in the client, a description in the simulator). The core
// passes handles around and says when one may be freed.
using BufferId = Id<struct BufferIdTag, std::uint64_t>;
inline constexpr BufferId kNoBuffer{};

}  // namespace tributary::core
