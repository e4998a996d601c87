// All that the engine holds and does at one moment, for screens and metrics: every open torrent,
// whoever plays or reads it.
#pragma once

#include <string>
#include <vector>

#include "cdn/pool/edge_pool.h"
#include "engine/core/ledger.h"
#include "engine/core/swarm.h"
#include "engine/net/store.h"

namespace tributary::player {

// Of what is sent and received, the CDN's bytes included.
struct RateLimits {
  BitRate up = kUnlimited;  // of all torrents together
  BitRate down = kUnlimited;
  BitRate up_each = kUnlimited;  // of each torrent by itself
  BitRate down_each = kUnlimited;
};

// How much of one cell of the piece map is where.
enum class CellState : std::uint8_t { kMissing, kAskedPeer, kAskedCdn, kPartial, kHave };

struct TorrentView {
  core::TorrentId id;
  std::vector<InfoHash> hashes;  // none for a plain URL
  std::string name;
  Bytes size;              // padding included
  core::ByteCounts bytes;  // since it was opened
  std::vector<core::PeerView> peers;
  std::vector<cdn::EdgeStats> edges;
  std::vector<core::ReaderView> readers;
  std::vector<CellState> pieces;  // at most as many as asked for
  bool emergency = false;
};

struct EngineView {
  std::vector<TorrentView> torrents;  // in the order in which they were opened
  net::StoreStats store;
  core::Policy policy;
  RateLimits limits;
  bool upload = true;  // peers are sent something
  std::int64_t cdn_requests = 0;
};

class Host;

// Loop thread.
EngineView view_of(const Host& host, std::size_t cells);

// The blocks as at most `cells` cells of the same size.
std::vector<CellState> piece_cells(const core::Swarm& swarm, core::BlockRange blocks,
                                   std::size_t cells);

}  // namespace tributary::player
