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
// A peer that has what we want and gave less than a sixteenth of what it got only takes; a newcomer
// gets so much before that is asked: the first pieces, with something to trade among them.
constexpr Bytes kNewcomerCredit = 256_KiB;
constexpr std::int64_t kTokenShare = 16;

bool only_takes(const Peer& p) {
  return p.am_interested &&
         p.download->received_total * kTokenShare + kNewcomerCredit < p.upload->sent_total;
}

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
  const bool full = peer.upload->queue.size() >= static_cast<std::size_t>(kOurRequestQueue);
  if (peer.am_choking || full || !can_serve(span)) {
    if (full) ++peer.offences;
    return refuse(peer, span);
  }
  peer.upload.edit().queue.push_back(span);
  serve(peer);
}

void Uploader::on_cancel(Peer& peer, const BlockSpan& span) {
  auto& queue = peer.upload.edit().queue;
  const auto it = std::find(queue.begin(), queue.end(), span);
  if (it == queue.end()) return;  // on its way already
  queue.erase(it);
  refuse(peer, span);
}

void Uploader::serve(Peer& peer) { shares_.active() ? serve_by_shares() : pump(peer); }

// Whether a block went out; what is there no longer is refused on the way.
bool Uploader::start_one(Peer& peer) {
  while (!peer.upload->queue.empty()) {
    Upload& upload = peer.upload.edit();
    const BlockSpan span = upload.queue.front();
    upload.queue.pop_front();
    if (!can_serve(span)) {  // lost since it was asked for
      refuse(peer, span);
      continue;
    }
    ++upload.sending;
    shares_.started(peer.conn, span.length, s_.now);
    s_.out.emplace_back(SendBlock{s_.params.id, peer.conn, span});
    return true;
  }
  return false;
}

void Uploader::pump(Peer& peer) {
  while (peer.upload->sending < kMaxSending && start_one(peer)) {
  }
}

void Uploader::serve_by_shares() {
  std::vector<ConnId> waiting;
  for (const auto& [conn, peer] : s_.peers) {
    if (!peer.upload->queue.empty() && peer.upload->sending < kMaxSending) waiting.push_back(conn);
  }
  while (const auto conn = shares_.next(waiting, s_.now)) {
    Peer& peer = *s_.peer(*conn);
    start_one(peer);
    if (peer.upload->queue.empty() || peer.upload->sending >= kMaxSending)
      std::erase(waiting, *conn);
  }
  next_block_ = shares_.ready_at(waiting, s_.now);
}

void Uploader::on_sent(const BlockSent& event) {
  shares_.ended(event.conn);
  Peer* peer = s_.peer(event.conn);
  if (!peer) return;
  Upload& upload = peer->upload.edit();
  --upload.sending;
  if (event.sent) {
    const BlockIndex block =
        s_.layout.block_of(s_.layout.piece_range(event.span.piece).begin + event.span.begin);
    s_.counts(block).uploaded += event.span.length;
    upload.sent.add(s_.now, event.span.length);
    upload.sent_total += event.span.length;
    peer->traffic.add(s_.now, event.span.length);
    peer->last_sent = s_.now;
    spend_need(*peer, event.span.length);
  } else {
    refuse(*peer, event.span);
  }
  serve(*peer);
}

// A claim that has just used its budget up counts no longer, and its share shrinks at once.
void Uploader::spend_need(Peer& peer, Bytes sent) {
  if (!s_.serves_by_need() || peer.upload->need == Need::kStoring) return;
  NeedBudget& budget = peer.upload.edit().need_budget;
  if (!budget.left(s_.media_rate, s_.now)) return;
  budget.spend(sent, s_.media_rate, s_.now);
  if (!budget.left(s_.media_rate, s_.now)) rechoke_soon();
}

Need Uploader::believed_need(const Peer& peer) const {
  const Upload& upload = *peer.upload;
  if (upload.need == Need::kStoring) return Need::kStoring;
  return upload.need_budget.left(s_.media_rate, s_.now) ? upload.need : Need::kStoring;
}

void Uploader::choke(Peer& peer) {
  peer.am_choking = true;
  s_.send(peer, Choke{});
  for (const BlockSpan& span : peer.upload->queue) refuse(peer, span);
  peer.upload.edit().queue.clear();
}

// In a swarm at work peers change their minds many times a second.
void Uploader::on_interest(const Peer& peer) {
  if (!full_ || !peer.am_choking) return rechoke_soon();
  if (!peer.peer_interested) return;
  next_rechoke_ = std::min({next_rechoke_, choker_.next_rerank, choker_.next_rotation});
}

void Uploader::on_time() {
  if (s_.now >= next_rechoke_) rechoke();
  if (s_.now >= next_block_) serve_by_shares();
}

ChokerSnapshot Uploader::snapshot() const {
  ChokerSnapshot snapshot;
  snapshot.now = s_.now;
  snapshot.seeding = s_.pieces.complete() || !s_.active();
  snapshot.stop_uploads = s_.emergency || !s_.params.upload;
  snapshot.peers.reserve(s_.peers.size());
  for (const auto& [conn, p] : s_.peers) {
    ChokePeer& seen = snapshot.peers.emplace_back();
    seen.conn = conn;
    seen.interested = p.peer_interested;
    seen.unchoked = !p.am_choking;
    seen.received = rate_of(p.download->received.sum(s_.now), 10s);
    seen.snubbed = p.snubbed;
    seen.upload_only = p.upload_only || p.has.all();
    seen.connected_at = p.connected_at;
    seen.unchokes_us = !p.peer_choking;
    // Nobody asks for the rest of who cannot have a slot, and a swarm at work has many of these.
    if (!seen.interested || seen.upload_only) continue;
    seen.sent = rate_of(p.upload->sent.sum(s_.now), 10s);
    seen.last_unchoked_at = p.upload->last_unchoked;
    seen.need = believed_need(p);
    seen.overdrawn = seen.need != p.upload->need;
    seen.only_takes = only_takes(p);
  }
  return snapshot;
}

void Uploader::rechoke() {
  const ChokeDecision decision = unchoke_(snapshot(), choker_);
  next_rechoke_ = decision.next_deadline;
  full_ = decision.full && decision.shares.empty();  // shares follow what peers give by now
  const auto among = [](const std::vector<ConnId>& ids, ConnId id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
  };
  for (auto& [conn, peer] : s_.peers) {
    const bool open = among(decision.unchoked, conn);
    peer.optimistic = open && among(choker_.optimistic, conn);
    if (open && peer.am_choking) {
      peer.am_choking = false;
      peer.upload.edit().last_unchoked = s_.now;
      s_.send(peer, Unchoke{});
    } else if (!open && !peer.am_choking) {
      choke(peer);
    }
  }
  share_out(decision);
}

void Uploader::share_out(const ChokeDecision& decision) {
  std::vector<FairShare::Party> parties;
  for (std::size_t i = 0; i < decision.shares.size(); ++i) {
    parties.push_back({decision.unchoked[i], decision.shares[i]});
  }
  const bool was_active = shares_.active();
  shares_.assign(parties);
  next_block_ = kNever;
  if (shares_.active()) return serve_by_shares();
  if (!was_active) return;
  for (auto& [conn, peer] : s_.peers) pump(peer);
}

}  // namespace tributary::core
