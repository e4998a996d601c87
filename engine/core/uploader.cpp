#include "engine/core/uploader.h"

#include <algorithm>

#include "engine/core/peer_protocol.h"

namespace tributary::core {
namespace {

// Blocks handed to the host at once for one peer: one on the wire and one behind it; the others
// wait here, where a cancel still helps.
constexpr std::int32_t kMaxSending = 4;
// Requests may be longer than our blocks; libtorrent and others accept up to 128 KiB.
constexpr Bytes kMaxRequestLength = 128_KiB;

}  // namespace

bool Uploader::can_serve(const BlockSpan& span) const {
  const auto piece = span.piece.value();
  if (piece < 0 || piece >= s_.layout.piece_count()) return false;
  const ByteRange whole = s_.layout.piece_range(span.piece);
  if (span.begin < 0_B || span.length <= 0_B || span.length > kMaxRequestLength) return false;
  if (span.begin + span.length > whole.size()) return false;
  const Bytes begin = whole.begin + span.begin;
  const BlockRange blocks = s_.layout.blocks_covering({begin, begin + span.length});
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    if (!s_.pieces.have(b)) return false;
  }
  return s_.verifiable();
}

void Uploader::refuse(Peer& peer, const BlockSpan& span) {
  if (peer.fast) s_.send(peer, RejectRequest{span});
}

void Uploader::on_request(Peer& peer, const BlockSpan& span) {
  const bool full = peer.queue.size() >= static_cast<std::size_t>(kOurRequestQueue);
  if (peer.am_choking || full || !can_serve(span)) {
    if (full) ++peer.offences;
    return refuse(peer, span);
  }
  peer.queue.push_back(span);
  pump(peer);
}

void Uploader::on_cancel(Peer& peer, const BlockSpan& span) {
  const auto it = std::find(peer.queue.begin(), peer.queue.end(), span);
  if (it == peer.queue.end()) return;  // on its way already
  peer.queue.erase(it);
  refuse(peer, span);
}

void Uploader::pump(Peer& peer) {
  while (peer.sending < kMaxSending && !peer.queue.empty()) {
    const BlockSpan span = peer.queue.front();
    peer.queue.pop_front();
    if (!can_serve(span)) {  // lost since it was asked for
      refuse(peer, span);
      continue;
    }
    ++peer.sending;
    s_.out.emplace_back(SendBlock{s_.params.id, peer.conn, span});
  }
}

void Uploader::on_sent(const BlockSent& event) {
  Peer* peer = s_.peer(event.conn);
  if (!peer) return;
  --peer->sending;
  if (event.sent) {
    const BlockIndex block =
        s_.layout.block_of(s_.layout.piece_range(event.span.piece).begin + event.span.begin);
    s_.counts(block).uploaded += event.span.length;
    peer->sent.add(s_.now, event.span.length);
    peer->sent_total += event.span.length;
    peer->traffic.add(s_.now, event.span.length);
    peer->last_sent = s_.now;
  } else {
    refuse(*peer, event.span);
  }
  pump(*peer);
}

void Uploader::choke(Peer& peer) {
  peer.am_choking = true;
  s_.send(peer, Choke{});
  for (const BlockSpan& span : peer.queue) refuse(peer, span);
  peer.queue.clear();
}

void Uploader::on_time() {
  if (s_.now < next_rechoke_) return;
  ChokerSnapshot snapshot;
  snapshot.now = s_.now;
  snapshot.seeding = s_.pieces.complete() || !s_.active();
  snapshot.stop_uploads = s_.emergency || !s_.params.upload;
  for (const auto& [conn, p] : s_.peers) {
    snapshot.peers.push_back({conn, p.peer_interested, !p.am_choking,
                              rate_of(p.received.sum(s_.now), 10s),
                              rate_of(p.sent.sum(s_.now), 10s), p.snubbed,
                              p.upload_only || p.has.all(), p.connected_at, p.last_unchoked});
  }
  const ChokeDecision decision = choose_unchokes(snapshot, {}, choker_);
  next_rechoke_ = decision.next_deadline;
  for (auto& [conn, peer] : s_.peers) {
    const bool open = std::find(decision.unchoked.begin(), decision.unchoked.end(), conn) !=
                      decision.unchoked.end();
    if (open && peer.am_choking) {
      peer.am_choking = false;
      peer.last_unchoked = s_.now;
      s_.send(peer, Unchoke{});
    } else if (!open && !peer.am_choking) {
      choke(peer);
    }
  }
}

}  // namespace tributary::core
