#include "player/client/engine_view.h"

#include <algorithm>

#include "player/client/host.h"

namespace tributary::player {
namespace {

TorrentView view_of(const Host& host, const OpenTorrent& torrent, const core::Swarm& swarm,
                    std::size_t cells) {
  TorrentView view;
  view.id = torrent.id;
  view.hashes = torrent.info->info_hashes();
  view.name = torrent.info->name;
  view.size = torrent.info->total_size;
  view.bytes = swarm.ledger().total();
  view.peers = swarm.peers();
  view.edges = host.node().edges().stats(torrent.id, host.now());
  view.readers = swarm.readers(host.now());
  const core::BlockRange all{core::BlockIndex(0), core::BlockIndex(swarm.layout().block_count())};
  view.pieces = piece_cells(swarm, all, cells);
  view.emergency = swarm.emergency();
  return view;
}

CellState state_of(const core::Swarm& swarm, core::BlockRange blocks, const Bitfield& cdn,
                   const Bitfield& peers) {
  int have = 0;
  CellState state = CellState::kMissing;
  for (core::BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    if (swarm.have_blocks().test(b.value())) {
      ++have;
    } else if (cdn.test(b.value())) {
      state = CellState::kAskedCdn;
    } else if (peers.test(b.value()) && state == CellState::kMissing) {
      state = CellState::kAskedPeer;
    }
  }
  if (have == blocks.size()) return CellState::kHave;
  return state == CellState::kMissing && have > 0 ? CellState::kPartial : state;
}

}  // namespace

std::vector<CellState> piece_cells(const core::Swarm& swarm, core::BlockRange blocks,
                                   std::size_t cells) {
  std::vector<CellState> map;
  const Bitfield cdn = swarm.asked_of_cdn();
  const Bitfield peers = swarm.asked_of_peers();
  const auto count = std::min<std::int64_t>(static_cast<std::int64_t>(cells), blocks.size());
  for (std::int64_t cell = 0; cell < count; ++cell) {
    const auto from = static_cast<std::int32_t>(cell * blocks.size() / count);
    const auto to = static_cast<std::int32_t>((cell + 1) * blocks.size() / count);
    map.push_back(state_of(swarm, {blocks.begin + from, blocks.begin + to}, cdn, peers));
  }
  return map;
}

EngineView view_of(const Host& host, std::size_t cells) {
  EngineView view;
  for (const OpenTorrent* torrent : host.open_torrents()) {
    const core::Swarm* swarm = host.node().swarm(torrent->id);
    if (swarm) view.torrents.push_back(view_of(host, *torrent, *swarm, cells));
  }
  view.store = host.store_stats();
  view.policy = host.policy();
  view.limits = host.limits();
  view.upload = host.uploads();
  view.cdn_requests = host.node().edges().cdn_requests();
  return view;
}

}  // namespace tributary::player
