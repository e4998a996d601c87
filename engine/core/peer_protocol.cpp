#include "engine/core/peer_protocol.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/base/check.h"

namespace tributary::core {
namespace {

// Bit 7 of the first byte is piece 0 (BEP 3). Nothing when the size or the spare bits are wrong.
std::optional<Bitfield> decode_bitfield(const std::vector<std::uint8_t>& bytes, int pieces) {
  if (bytes.size() != (static_cast<std::size_t>(pieces) + 7) / 8) return std::nullopt;
  Bitfield bits(pieces);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    if (((bytes[i / 8] >> (7 - i % 8)) & 1) == 0) continue;
    if (static_cast<int>(i) >= pieces) return std::nullopt;
    bits.set(static_cast<int>(i));
  }
  return bits;
}

std::vector<std::uint8_t> encode_bitfield(const Bitfield& bits) {
  std::vector<std::uint8_t> bytes((static_cast<std::size_t>(bits.size()) + 7) / 8);
  for (int i = bits.find_next(0); i != Bitfield::kNone; i = bits.find_next(i + 1)) {
    bytes[static_cast<std::size_t>(i) / 8] |= static_cast<std::uint8_t>(0x80 >> (i % 8));
  }
  return bytes;
}

}  // namespace

void PeerProtocol::on_connected(const PeerConnected& event) {
  const auto [it, is_new] =
      s_.peers.try_emplace(event.conn, event.conn, event.remote, s_.layout.piece_count());
  TRIBUTARY_CHECK(is_new);
  Peer& peer = it->second;
  peer.peer_id = event.handshake.peer_id;
  peer.inbound = event.inbound;
  peer.encryption = event.encryption;
  peer.utp = event.utp;
  peer.connected_at = s_.now;
  peer.fast = event.handshake.fast;
  peer.extended = event.handshake.extended;
  peer.v2 = speaks_v2(event);
  greet(peer);
  if (s_.uses_dht() && s_.params.dht_port != 0 && event.handshake.dht) {
    s_.send(peer, Port{s_.params.dht_port});
  }
}

// Who could speak v2 but answers a hybrid's dial by its v1 hash has not taken the offer (BEP 52):
// libtorrent does so on encrypted connections, and ends them at a hash request.
bool PeerProtocol::speaks_v2(const PeerConnected& event) const {
  const TorrentInfo& info = s_.meta.info;
  const bool declined =
      !event.inbound && info.has_v1() && event.handshake.info_hash == info.info_hashes().front();
  return event.handshake.v2 && info.has_v2() && !declined;
}

void PeerProtocol::greet(Peer& peer) {
  if (peer.extended) {
    ExtendedHandshake hello;
    hello.client = s_.params.client_name;
    hello.request_queue = kOurRequestQueue;
    hello.dont_have = true;
    hello.peer_exchange = !s_.meta.info.is_private;
    hello.metadata_size = metadata_.offered();
    hello.metadata = hello.metadata_size.has_value();
    hello.hole_punch = s_.punches_holes();
    hello.tributary = s_.seeds_swarm();
    hello.need = s_.serves_by_need();
    hello.overlay = s_.uses_overlay();
    const std::uint16_t port = s_.port_for(peer.remote);
    if (port != 0) hello.listen_port = port;
    if (s_.pieces.complete() && !s_.super_seeding()) hello.upload_only = true;
    hello.your_ip = peer.remote;
    hello.your_ip->port = 0;
    s_.send(peer, hello);
  }
  const Bitfield& have = s_.pieces.have_pieces();
  const bool hidden = s_.super_seeding();
  if (peer.fast && have.all() && !hidden) {
    s_.send(peer, HaveAll{});
  } else if (peer.fast && (have.none() || hidden)) {
    s_.send(peer, HaveNone{});
  } else if (!have.none() && !hidden) {
    s_.send(peer, BitfieldMessage{encode_bitfield(have)});
  }
  if (peer.fast) return;
  // Without BEP 6 a peer that has nothing says nothing.
  peer.announced = true;
  super_seed_.reveal(peer);
}

void PeerProtocol::on_closed(ConnId conn) {
  Peer* peer = s_.peer(conn);
  if (!peer) return;
  receiver_.release_requests(*peer);
  s_.rarity.remove_peer(peer->has, peer->counted_as_seed);
  s_.peers.erase(conn);
  s_.replan_seeds = true;
  s_.reopen();
  super_seed_.on_closed();
  uploader_.rechoke_soon();
}

void PeerProtocol::on_message(ConnId conn, const Message& message) {
  Peer* peer = s_.peer(conn);
  if (!peer) {
    if (const auto* piece = std::get_if<Piece>(&message)) s_.out.emplace_back(Free{piece->buffer});
    return;
  }
  std::visit([&](const auto& m) { on(*peer, m); }, message);
  if (peer->offences > kMaxOffences) s_.disconnect(*peer, "too many protocol offences");
}

void PeerProtocol::on_sent(const BlockSent& event) {
  Peer* peer = event.sent ? s_.peer(event.conn) : nullptr;
  if (!peer || !super_seed_.has_all_of(*peer, event.span)) return;
  add_has(*peer, event.span.piece);
  super_seed_.on_have(event.span.piece);
}

void PeerProtocol::on(Peer& peer, const Choke&) {
  if (peer.peer_choking) return;
  peer.peer_choking = true;
  // With BEP 6 each request still gets its own answer.
  if (!peer.fast) receiver_.release_requests(peer);
  receiver_.give_up_exclusive(peer);
  s_.reopen();
}

void PeerProtocol::on(Peer& peer, const Unchoke&) {
  if (std::exchange(peer.peer_choking, false)) peer.snubbed = peer.stalled = false;
  peer.last_block = s_.now;
  peer.dry_epoch = 0;
}

void PeerProtocol::on(Peer& peer, const Interested&) {
  if (!std::exchange(peer.peer_interested, true)) uploader_.on_interest(peer);
}

void PeerProtocol::on(Peer& peer, const NotInterested&) {
  if (std::exchange(peer.peer_interested, false)) uploader_.on_interest(peer);
}

void PeerProtocol::add_has(Peer& peer, PieceIndex piece) {
  if (!peer.has.set(piece.value())) return;
  s_.rarity.add_have(piece);
  if (!s_.pieces.have_piece(piece)) peer.dry_epoch = 0;
}

void PeerProtocol::on(Peer& peer, const Have& m) {
  if (!valid(m.piece)) {
    ++peer.offences;
    return s_.disconnect(peer, "have for a piece that does not exist");
  }
  peer.announced = true;
  if (peer.counted_as_seed) return;
  add_has(peer, m.piece);
  super_seed_.on_have(m.piece);
  if (!peer.am_interested && !s_.pieces.have_piece(m.piece)) update_interest(peer);
  if (!peer.has.all()) return;
  peer.finished = true;
  drop_if_useless(peer);
}

void PeerProtocol::set_has(Peer& peer, Bitfield has) {
  s_.rarity.remove_peer(peer.has, peer.counted_as_seed);
  peer.has = std::move(has);
  peer.counted_as_seed = peer.has.all();
  s_.rarity.add_peer(peer.has, peer.counted_as_seed);
  peer.announced = true;
  s_.replan_seeds = true;
  s_.reopen();
  update_interest(peer);
  super_seed_.reveal(peer);
  drop_if_useless(peer);
}

void PeerProtocol::on(Peer& peer, const BitfieldMessage& m) {
  auto bits = decode_bitfield(m.bytes, s_.layout.piece_count());
  if (!bits) return s_.disconnect(peer, "bitfield of the wrong size");
  set_has(peer, *std::move(bits));
}

void PeerProtocol::on(Peer& peer, const HaveAll&) {
  set_has(peer, Bitfield(s_.layout.piece_count(), true));
}

void PeerProtocol::on(Peer& peer, const HaveNone&) {
  set_has(peer, Bitfield(s_.layout.piece_count()));
}

void PeerProtocol::on(Peer& peer, const RejectRequest& m) {
  const BlockIndex block = s_.layout.block_at(m.span.piece, m.span.begin);
  Download& download = peer.download.edit();
  if (download.recall(block)) return;  // of the request before; the one after it has its own answer
  const auto asked = download.request_for(block);
  if (asked == download.outstanding.end()) return static_cast<void>(++peer.offences);
  const bool expected = asked->cancelled_at || peer.peer_choking;
  // Who chokes and rejects what it allows would be asked for it again at once, and for ever.
  if (peer.peer_choking) std::erase(peer.allowed_fast, m.span.piece);
  receiver_.release_request(peer, block);
  receiver_.give_up_exclusive(peer);
  if (!expected && ++download.rejects > kMaxRejects) {
    s_.disconnect(peer, "rejects whatever it is asked for");
  }
  s_.reopen();
}

void PeerProtocol::on(Peer& peer, const AllowedFast& m) {
  constexpr std::size_t kMaxAllowedFast = 64;  // BEP 6 suggests 10
  if (!valid(m.piece)) return static_cast<void>(++peer.offences);
  auto& allowed = peer.allowed_fast;
  if (std::find(allowed.begin(), allowed.end(), m.piece) != allowed.end()) return;
  if (allowed.size() < kMaxAllowedFast) allowed.push_back(m.piece);
}

void PeerProtocol::on(Peer& peer, const DontHave& m) {
  if (!valid(m.piece) || !peer.has.test(m.piece.value())) return;
  s_.rarity.remove_peer(peer.has, std::exchange(peer.counted_as_seed, false));
  peer.has.reset(m.piece.value());
  s_.rarity.add_peer(peer.has, false);
  s_.replan_seeds = true;
  s_.reopen();
  update_interest(peer);
}

void PeerProtocol::on(Peer& peer, const HashRequest& m) {
  s_.out.emplace_back(ServeHashes{s_.params.id, peer.conn, m.span});
}

void PeerProtocol::on(Peer& peer, const ExtendedHandshake& m) {
  constexpr std::int32_t kMaxTrustedQueue = 2048;
  if (m.request_queue) peer.request_queue = std::clamp(*m.request_queue, 1, kMaxTrustedQueue);
  if (m.upload_only) peer.upload_only = *m.upload_only;
  peer.dont_have = m.dont_have;
  peer.peer_exchange = m.peer_exchange;
  peer.hole_punch = m.hole_punch;
  if (peer.tributary != m.tributary) s_.replan_seeds = true;
  peer.tributary = m.tributary;
  peer.hears_need = m.need;
  peer.overlay = m.overlay;
  peer.client = m.client;
  tell_need(peer);
}

void PeerProtocol::on(Peer& peer, const NeedMessage& m) {
  Upload& upload = peer.upload.edit();
  if (s_.now < upload.may_change_need_at) ++peer.offences;
  upload.may_change_need_at = s_.now + kNeedPace;
  if (std::exchange(upload.need, m.need) != m.need) uploader_.rechoke_soon();
}

// A peer that was told nothing takes it that we store.
void PeerProtocol::tell_need(Peer& peer) {
  const Need need = s_.need();
  if (!peer.hears_need || peer.told_need.value_or(Need::kStoring) == need) return;
  peer.told_need = need;
  s_.send(peer, NeedMessage{need});
}

// Goes on where it found one before, so that a long torrent is not searched from its start for each
// piece that arrives.
bool PeerProtocol::has_wanted(Peer& peer) {
  const Bitfield& have = s_.pieces.have_pieces();
  int piece = peer.has.find_next_not_in(have, peer.wanted_piece.value());
  if (piece == Bitfield::kNone) piece = peer.has.find_next_not_in(have, 0);
  if (piece != Bitfield::kNone) peer.wanted_piece = PieceIndex(piece);
  return piece != Bitfield::kNone;
}

// Interested in whoever has a piece that we lack, while anything is wanted at all.
void PeerProtocol::update_interest(Peer& peer) {
  const bool wanted = s_.active() && s_.uses_peers() && has_wanted(peer);
  if (wanted == peer.am_interested) return;
  peer.am_interested = wanted;
  wanted ? s_.send(peer, Interested{}) : s_.send(peer, NotInterested{});
}

void PeerProtocol::refresh_interest() {
  for (auto& [conn, peer] : s_.peers) {
    update_interest(peer);
    tell_need(peer);
  }
}

// Two complete clients have nothing to tell each other, but perhaps of another torrent.
void PeerProtocol::drop_if_useless(Peer& peer) {
  if (!s_.pieces.complete() || !peer.has.all() || keeps_for_overlay(peer)) return;
  peer.useless = true;
  s_.disconnect(peer, "both are complete");
}

// A listener keeps whom it will ask for the next track; everybody else those who became complete
// here, for they may be listeners. Those let go once their track is over.
bool PeerProtocol::keeps_for_overlay(const Peer& peer) const {
  if (!s_.uses_overlay() || !peer.overlay || peer.useless) return false;
  if (s_.demands.empty() && !peer.finished) return false;
  const auto kept = std::count_if(s_.peers.begin(), s_.peers.end(), [&](const auto& entry) {
    const Peer& other = entry.second;
    return &other != &peer && other.has.all() && !other.useless;
  });
  return kept < kMaxKeptForOverlay;
}

void PeerProtocol::drop_useless() {
  if (!s_.uses_overlay() || !s_.pieces.complete()) return;
  for (auto& [conn, peer] : s_.peers) {
    if (!peer.has.all() || peer.useless) continue;
    peer.useless = true;
    s_.disconnect(peer, "both are complete");
  }
}

void PeerProtocol::announce_piece(PieceIndex piece) {
  const bool complete = s_.pieces.complete();
  for (auto& [conn, peer] : s_.peers) {
    if (peer.has.test(piece.value())) {
      // What else made us interested is still missing.
      if (peer.am_interested && peer.wanted_piece == piece) update_interest(peer);
    } else {
      s_.send(peer, Have{piece});
    }
    if (complete && peer.has.all()) drop_if_useless(peer);
  }
}

void PeerProtocol::withdraw_piece(PieceIndex piece) {
  for (auto& [conn, peer] : s_.peers) {
    if (peer.dont_have) s_.send(peer, DontHave{piece});
    update_interest(peer);
  }
}

TimePoint PeerProtocol::on_time() {
  TimePoint next = kNever;
  for (auto& [conn, peer] : s_.peers) {
    if (s_.now - peer.last_sent >= kKeepAliveInterval) s_.send(peer, KeepAlive{});
    next = std::min(next, peer.last_sent + kKeepAliveInterval);
    next = std::min(next, receiver_.forget_cancelled(peer));
    if (peer.probe_at() <= s_.now) {
      s_.changed_peers.push_back(conn);
      receiver_.forget_one_cancelled(peer);
    } else {
      next = std::min(next, peer.probe_at());
    }
    if (peer.in_flight() == 0) continue;
    const Duration silent = s_.now - peer.last_block;
    if (silent >= kSnubTime) peer.snubbed = true;
    if (silent >= kStallTime) {
      peer.stalled = true;
      receiver_.yield_requests(peer);
    }
    next = std::min(next, peer.last_block + (silent >= kStallTime ? kSnubTime : kStallTime));
  }
  return std::max(next, s_.now + 100ms);
}

}  // namespace tributary::core
