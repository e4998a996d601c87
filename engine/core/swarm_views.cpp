// What a swarm shows to reports, user interfaces and checkers.
#include "engine/core/swarm.h"

namespace tributary::core {

// In the order and meaning of kPeerFlags.
std::string Swarm::flags_of(const Peer& peer) const {
  std::string flags;
  if (peer.am_interested) flags += peer.peer_choking ? 'd' : 'D';
  if (peer.peer_interested) flags += peer.am_choking ? 'u' : 'U';
  if (peer.optimistic) flags += 'O';
  if (peer.snubbed) flags += 'S';
  if (peer.inbound) flags += 'I';
  if (peer.source == PeerSource::kDht) flags += 'H';
  if (peer.source == PeerSource::kExchange) flags += 'X';
  if (peer.source == PeerSource::kOverlay) flags += 'Q';
  if (peer.source == PeerSource::kLocal) flags += 'L';
  if (peer.encryption == Encryption::kStream) flags += 'E';
  if (peer.encryption == Encryption::kHandshake) flags += 'e';
  if (peer.utp) flags += 'P';
  if (peer.punched) flags += 'h';
  if (peer.suspect) flags += 'F';
  if (!peer.am_interested && !peer.peer_choking) flags += 'K';
  if (!peer.peer_interested && !peer.am_choking) flags += '?';
  return flags;
}

std::vector<PeerView> Swarm::peers() const {
  std::vector<PeerView> views;
  for (const auto& [conn, p] : s_.peers) {
    views.push_back({conn, p.remote, p.client, flags_of(p),
                     rate_of(p.download->received.sum(s_.now), 10s),
                     rate_of(p.upload->sent.sum(s_.now), 10s), p.download->received_total,
                     p.upload->sent_total, p.has.count(), p.in_flight()});
  }
  return views;
}

Bitfield Swarm::asked_of_cdn() const {
  Bitfield bits(s_.layout.block_count());
  for (const auto& [id, request] : s_.cdn.requests) {
    for (BlockIndex b = request.blocks.begin; b < request.blocks.end; ++b) {
      if (s_.pieces.asked_of_cdn(b)) bits.set(b.value());
    }
  }
  return bits;
}

Bitfield Swarm::asked_of_peers() const {
  Bitfield bits(s_.layout.block_count());
  for (const auto& [conn, peer] : s_.peers) {
    for (const Download::Outstanding& o : peer.download->outstanding) bits.set(o.block.value());
  }
  return bits;
}

Duration Swarm::buffered(FileIndex file, TimePoint now) const {
  for (const Demand& demand : s_.demands) {
    if (!demand.is(file, kNoReader)) continue;
    return s_.buffered(demand, now);
  }
  return {};
}

std::vector<ReaderView> Swarm::readers(TimePoint now) const {
  std::vector<ReaderView> views;
  for (const Demand& d : s_.demands) {
    if (d.reader == kNoReader) continue;
    const bool waits = !d.unread.empty() && !s_.pieces.have(s_.layout.block_of(d.unread.begin));
    views.push_back({d.reader, d.file, d.unread.begin - d.file_range.begin, d.playhead(now),
                     s_.buffered(d, now), waits});
  }
  return views;
}

const ByteTimeMap& Swarm::timeline(FileIndex file) const {
  return timelines_[static_cast<std::size_t>(file.value())];
}

Bytes Swarm::missing(FileIndex file, ByteRange in_file) const {
  const FileEntry& entry = s_.meta.info.files[static_cast<std::size_t>(file.value())];
  const BlockRange blocks = s_.layout.blocks_covering(
      intersect({entry.offset + in_file.begin, entry.offset + in_file.end}, entry.range()));
  Bytes missing;
  const Bitfield& have = s_.pieces.have_blocks();
  int b = have.find_next_clear(blocks.begin.value());
  for (; b != Bitfield::kNone && b < blocks.end.value(); b = have.find_next_clear(b + 1)) {
    missing += s_.length_of(BlockIndex(b));
  }
  return missing;
}

bool Swarm::file_complete(FileIndex file) const {
  const FileEntry& entry = s_.meta.info.files[static_cast<std::size_t>(file.value())];
  const BlockRange blocks = s_.layout.blocks_covering(entry.range());
  const int gap = s_.pieces.have_blocks().find_next_clear(blocks.begin.value());
  return gap == Bitfield::kNone || gap >= blocks.end.value();
}

}  // namespace tributary::core
