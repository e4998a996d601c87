#include "engine/core/receiver.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/contains.h"
#include "engine/core/peer_protocol.h"

namespace tributary::core {

void Receiver::on_piece(Peer& peer, const Piece& message) {
  const BlockIndex block = s_.layout.block_at(message.span.piece, message.span.begin);
  if (block == Layout::kNoBlock || s_.layout.span_of(block) != message.span) {
    s_.out.emplace_back(Free{message.buffer});
    return s_.disconnect(peer, "sent a block that does not exist");
  }
  s_.counts(block).peers += message.span.length;
  Download& download = peer.download.edit();
  download.received.add(s_.now, message.span.length);
  download.received_total += message.span.length;
  peer.traffic.add(s_.now, message.span.length);
  const bool forgotten = download.recall(block);
  const BlockSource source = BlockSource::peer(peer.conn, peer.remote);
  const auto asked = download.request_for(block);
  if (asked == download.outstanding.end()) {
    if (!forgotten) ++peer.offences;  // never asked for, or a cancel crossed it
    const bool missing = !s_.pieces.have(block) && !s_.pieces.received(block);
    if (!forgotten || !missing || !may_ask(message.span.piece, source)) {
      return discard(block, message.buffer);
    }
    return accept(block, message.buffer, source);
  }
  const Download::Outstanding request = *asked;
  download.erase(asked);
  learn_of_cancels(peer, request);
  download.estimator.on_block(s_.now, request.asked_at, peer.in_flight());
  peer.last_block = s_.now;
  peer.snubbed = false;
  peer.stalled = false;
  peer.dry_epoch = 0;  // it may finish by now what seemed too late for it before
  download.rejects = 0;
  ++download.proven;
  s_.pieces.remove_owner(block, peer.conn);
  if (s_.pieces.have(block) || s_.pieces.received(block)) return discard(block, message.buffer);
  accept(block, message.buffer, source);
}

void Receiver::on_cdn_block(const CdnBlock& event) {
  s_.hear_cdn();
  const auto request = s_.cdn.requests.find(event.request);
  const CdnReason reason =
      request == s_.cdn.requests.end() ? CdnReason::kUrgent : request->second.reason;
  s_.counts(event.block).cdn_by_reason[reason] += s_.length_of(event.block);
  if (request != s_.cdn.requests.end() && request->second.blocks.contains(event.block)) {
    --request->second.missing;
    s_.pieces.set_cdn(event.block, false);
  }
  if (s_.pieces.have(event.block) || s_.pieces.received(event.block)) {
    return discard(event.block, event.buffer, reason);
  }
  accept(event.block, event.buffer, BlockSource::cdn(), reason);
}

void Receiver::on_cdn_ended(const CdnEnded& event) {
  const auto it = s_.cdn.requests.find(event.request);
  if (it == s_.cdn.requests.end()) return;
  const BlockRange blocks = it->second.blocks;
  s_.cdn.requests.erase(it);
  if (s_.cdn.requests.empty()) s_.hear_cdn();
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) s_.pieces.set_cdn(b, false);
  s_.reopen();
}

void Receiver::discard(BlockIndex block, BufferId buffer, std::optional<CdnReason> asked) {
  ByteCounts& counts = s_.counts(block);
  counts.duplicate += s_.length_of(block);
  if (asked) counts.cdn_duplicate[*asked] += s_.length_of(block);
  s_.out.emplace_back(Free{buffer});
}

void Receiver::accept(BlockIndex block, BufferId buffer, const BlockSource& source,
                      std::optional<CdnReason> asked) {
  s_.pieces.set_received(block, buffer);
  cancel_others(block, source.conn);
  cancel_needless_fetch(block);
  s_.history.add(s_.now, s_.length_of(block));
  if (!s_.verifiable()) return keep(block);
  origins_[block] = {source, asked, VerifyId()};
  verify_if_ready(block);
}

void Receiver::cancel_others(BlockIndex block, ConnId except) {
  for (ConnId owner : s_.pieces.owners(block)) {
    if (owner == ConnId() || owner == except) continue;
    if (Peer* peer = s_.peer(owner)) cancel_request(*peer, block);
  }
}

// A fetch of which nothing is missing any more would bring duplicates only.
void Receiver::cancel_needless_fetch(BlockIndex block) {
  if (!s_.pieces.asked_of_cdn(block)) return;
  const auto fetch =
      std::find_if(s_.cdn.requests.begin(), s_.cdn.requests.end(),
                   [block](const auto& entry) { return entry.second.blocks.contains(block); });
  if (fetch == s_.cdn.requests.end()) return;
  const BlockRange blocks = fetch->second.blocks;
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    if (s_.pieces.asked_of_cdn(b) && !s_.pieces.have(b) && !s_.pieces.received(b)) return;
  }
  const CdnRequestId id = fetch->first;
  s_.out.emplace_back(CdnCancel{s_.params.id, id});
  on_cdn_ended({s_.params.id, id});
}

void Receiver::cancel_request(Peer& peer, BlockIndex block) {
  Download& download = peer.download.edit();
  const auto asked = download.request_for(block);
  if (asked == download.outstanding.end() || asked->cancelled_at) return;
  s_.send(peer, Cancel{s_.layout.span_of(block)});
  s_.pieces.remove_owner(block, peer.conn);
  download.cancel(asked, s_.now);
  s_.changed_peers.push_back(peer.conn);
  s_.watch_by(s_.now + kCancelAnswerTime);
}

bool Receiver::release_request(Peer& peer, BlockIndex block) {
  Download& download = peer.download.edit();
  const auto asked = download.request_for(block);
  if (asked == download.outstanding.end()) return false;
  download.erase(asked);
  s_.pieces.remove_owner(block, peer.conn);
  return true;
}

void Receiver::release_requests(Peer& peer) {
  while (!peer.download->outstanding.empty()) {
    release_request(peer, peer.download->outstanding.back().block);
  }
  smart_ban_.unassign_all(peer.conn);
}

void Receiver::yield_requests(Peer& peer) {
  peer.download.edit().proven = 0;
  std::vector<BlockIndex> blocks;
  for (const Download::Outstanding& o : peer.download->outstanding) {
    if (!o.cancelled_at) blocks.push_back(o.block);
  }
  for (BlockIndex b : blocks) cancel_request(peer, b);
  smart_ban_.unassign_all(peer.conn);
  if (!blocks.empty()) s_.reopen();
}

TimePoint Receiver::forget_cancelled(Peer& peer) {
  TimePoint next = kNever;
  if (peer.answers_cancels() || peer.download->cancelled == 0) return next;
  Download& download = peer.download.edit();
  for (auto it = download.outstanding.begin(); it != download.outstanding.end();) {
    const TimePoint over = it->cancelled_at ? *it->cancelled_at + kCancelAnswerTime : kNever;
    if (over > s_.now) {
      next = std::min(next, over);
      ++it;
    } else {
      it = download.forget(it);
      s_.reopen();
    }
  }
  return next;
}

void Receiver::forget_one_cancelled(Peer& peer) {
  Download& download = peer.download.edit();
  auto first = download.outstanding.end();
  for (auto it = download.outstanding.begin(); it != download.outstanding.end(); ++it) {
    if (!it->cancelled_at || s_.pieces.have(it->block)) continue;
    if (first != download.outstanding.end() && first->block < it->block) continue;
    if (s_.wanted(it->block)) first = it;
  }
  if (first == download.outstanding.end()) return;
  download.forget(first);
  s_.reopen();
}

// Peers answer in order: what was cancelled before `answered` was asked for gets no answer.
void Receiver::learn_of_cancels(Peer& peer, const Download::Outstanding& answered) {
  Download& download = peer.download.edit();
  if (!peer.answers_cancels() || download.cancelled == 0 || answered.cancelled_at) return;
  for (auto it = download.outstanding.begin(); it != download.outstanding.end();) {
    const bool passed_over = it->cancelled_at && *it->cancelled_at < answered.asked_at;
    if (passed_over) peer.ignores_cancels = true;
    it = passed_over ? download.forget(it) : it + 1;
  }
  if (peer.ignores_cancels) s_.watch_by(s_.now);  // the other cancelled ones are to be forgotten
}

void Receiver::yield_latest(Peer& peer, std::int32_t keep) {
  std::vector<BlockIndex> blocks;
  for (const Download::Outstanding& o : peer.download->outstanding) {
    if (!o.cancelled_at && --keep < 0) blocks.push_back(o.block);
  }
  for (BlockIndex b : blocks) cancel_request(peer, b);
  if (!blocks.empty()) s_.reopen();
}

// A block that its own hash covers is checked at once, others with their whole piece.
void Receiver::verify_if_ready(BlockIndex block) {
  const VerifyId id(++next_verify_);
  if (const auto leaf = s_.leaf_of(block)) {
    const BlockRange alone{block, block + 1};
    origins_.at(block).verify = id;
    s_.out.emplace_back(Verify{s_.params.id, alone, {s_.pieces.buffer(block)}, *leaf, id});
    return;
  }
  const PieceIndex piece = s_.layout.piece_of(block);
  if (!s_.pieces.piece_in_hand(piece)) return;
  const BlockRange blocks = s_.layout.blocks_of(piece);
  std::vector<BufferId> buffers;
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    buffers.push_back(s_.pieces.buffer(b));
    if (s_.pieces.received(b)) origins_.at(b).verify = id;
  }
  s_.out.emplace_back(Verify{s_.params.id, blocks, std::move(buffers), std::nullopt, id});
}

// Where the store lost a block meanwhile and it came again, an older verdict speaks of other bytes.
bool Receiver::is_judged(BlockIndex block, VerifyId by) const {
  const auto origin = origins_.find(block);
  return origin != origins_.end() && origin->second.verify == by;
}

void Receiver::keep(BlockIndex block) {
  s_.counts(block).good += s_.length_of(block);
  s_.out.emplace_back(Store{s_.params.id, block, s_.pieces.buffer(block)});
  origins_.erase(block);
  if (!s_.pieces.set_have(block)) return;
  const PieceIndex piece = s_.layout.piece_of(block);
  s_.leaves.erase(piece);
  protocol_->announce_piece(piece);
}

void Receiver::on_verified(const Verified& event) {
  if (event.good) {
    approve(event);
  } else {
    reject(event);
  }
  settle_doubt();
}

void Receiver::approve(const Verified& event) {
  const PieceIndex piece = s_.layout.piece_of(event.blocks.begin);
  punish(smart_ban_.on_piece_passed(piece, event.digests), event.blocks);
  for (BlockIndex b = event.blocks.begin; b < event.blocks.end; ++b) {
    if (is_judged(b, event.id)) keep(b);
  }
}

void Receiver::reject(const Verified& event) {
  const auto blocks = static_cast<std::size_t>(event.blocks.size());
  std::vector<BlockSource> sources(blocks, BlockSource::stored());
  bool any = false;
  bool all = true;
  for (BlockIndex b = event.blocks.begin; b < event.blocks.end; ++b) {
    if (!is_judged(b, event.id)) {
      all = all && s_.pieces.have(b);
      continue;
    }
    const auto origin = origins_.find(b);
    sources[static_cast<std::size_t>(b - event.blocks.begin)] = origin->second.source;
    if (Peer* sender = s_.peer(origin->second.source.conn)) sender->suspect = true;
    any = true;
    ByteCounts& counts = s_.counts(b);
    counts.corrupt += s_.length_of(b);
    if (origin->second.asked) {
      counts.cdn_corrupt[*origin->second.asked] += s_.length_of(b);
      if (!s_.cdn.doubted) s_.cdn.doubted = VerifyId(next_verify_);
    }
    origins_.erase(origin);
    s_.out.emplace_back(Free{s_.pieces.buffer(b)});
    s_.pieces.reset(b);
  }
  s_.reopen();
  if (!any || !all) return;  // a block that the store lost may have been the wrong one
  if (blocks == 1 && s_.layout.blocks_per_piece() > 1) {
    return punish(sources, event.blocks);  // its own leaf names the sender
  }
  std::vector<Sha256> digests;
  if (event.digests.size() == blocks) digests = event.digests;
  const PieceIndex piece = s_.layout.piece_of(event.blocks.begin);
  punish(smart_ban_.on_piece_failed(piece, sources, digests), event.blocks);
}

// Only what was being judged already is waited for, so that the wait has an end.
void Receiver::settle_doubt() {
  if (!s_.cdn.doubted) return;
  const bool awaited = std::any_of(origins_.begin(), origins_.end(), [this](const auto& entry) {
    const Origin& origin = entry.second;
    return origin.asked && origin.verify != VerifyId() && origin.verify <= *s_.cdn.doubted;
  });
  if (awaited) return;
  s_.cdn.doubted.reset();
  s_.replan_seeds = true;
  s_.reopen();
}

void Receiver::punish(const std::vector<BlockSource>& guilty, BlockRange blocks) {
  for (const BlockSource& source : guilty) {
    if (source.kind == BlockSource::Kind::kCdn) {
      s_.out.emplace_back(CdnCorrupt{s_.params.id, blocks});
      continue;
    }
    // All clients of one machine share its loopback address.
    if (!Endpoint{source.address, 0}.is_loopback()) bans_.ban(source, s_.now);
    if (const Peer* peer = s_.peer(source.conn)) s_.disconnect(*peer, "sent corrupt data");
  }
}

bool Receiver::may_ask(PieceIndex piece, const BlockSource& source) const {
  if (!smart_ban_.is_exclusive(piece)) return true;
  const auto assigned = smart_ban_.assigned(piece);
  return !assigned || *assigned == source;
}

void Receiver::note_asked(PieceIndex piece, const BlockSource& source) {
  if (smart_ban_.is_exclusive(piece) && !smart_ban_.assigned(piece)) {
    smart_ban_.assign(piece, source);
  }
  if (source.kind != BlockSource::Kind::kPeer) return;
  if (Peer* peer = s_.peer(source.conn)) want_leaves(*peer, piece);
}

// The leaf hashes of a piece let each of its blocks be verified, and played, by itself (BEP 52).
void Receiver::want_leaves(Peer& peer, PieceIndex piece) {
  constexpr std::size_t kMaxHashRequests = 4;
  if (!peer.v2 || s_.layout.blocks_per_piece() == 1 || s_.leaves.contains(piece)) return;
  auto& asked = peer.download.edit().hash_requests;
  if (asked.size() >= kMaxHashRequests) return;
  const BlockIndex first = s_.layout.blocks_of(piece).begin;
  const FileEntry& file = s_.meta.info.files[static_cast<std::size_t>(s_.file_of(first).value())];
  if (!file.pieces_root || file.length <= kBlockSize) return;
  HashSpan span{*file.pieces_root};
  const Bytes offset = s_.layout.block_range(first).begin - file.offset;
  span.index = static_cast<std::uint32_t>(offset / kBlockSize);
  span.length = static_cast<std::uint32_t>(s_.layout.blocks_per_piece());
  if (contains(asked, span)) return;
  asked.push_back(span);
  s_.send(peer, HashRequest{span});
}

void Receiver::on_hashes(Peer& peer, const Hashes& message) {
  if (!contains(peer.download->hash_requests, message.span)) {
    return static_cast<void>(++peer.offences);
  }
  std::erase(peer.download.edit().hash_requests, message.span);
  for (std::size_t f = 0; f < s_.meta.info.files.size(); ++f) {
    const FileEntry& file = s_.meta.info.files[f];
    if (file.pieces_root != message.span.pieces_root) continue;
    const Bytes at = file.offset + kBlockSize * message.span.index;
    s_.out.emplace_back(VerifyHashes{s_.params.id, peer.conn, s_.layout.piece_at(at), message});
    return;
  }
}

void Receiver::on_hashes_verified(const HashesVerified& event) {
  if (event.leaves.empty()) {
    if (const Peer* peer = s_.peer(event.conn)) s_.disconnect(*peer, "sent wrong hashes");
    return;
  }
  // A second answer must not have blocks hashed again whose verdict is still out.
  if (s_.pieces.have_piece(event.piece) || s_.leaves.contains(event.piece)) return;
  s_.leaves[event.piece] = event.leaves;
  const BlockRange blocks = s_.layout.blocks_of(event.piece);
  if (s_.pieces.piece_in_hand(event.piece)) return;  // its own verification is under way
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    if (s_.pieces.received(b)) verify_if_ready(b);
  }
}

void Receiver::give_up_exclusive(const Peer& peer) { smart_ban_.unassign_all(peer.conn); }

void Receiver::free_unverified() {
  for (const auto& [block, source] : origins_) {
    s_.out.emplace_back(Free{s_.pieces.buffer(block)});
    s_.pieces.reset(block);
  }
  origins_.clear();
  s_.cdn.doubted.reset();
}

void Receiver::on_lost(const BlocksLost& event) {
  std::vector<PieceIndex> withdrawn;
  for (BlockIndex b = event.blocks.begin; b < event.blocks.end; ++b) {
    if (!s_.pieces.have(b) || s_.length_of(b) == 0_B) continue;
    const PieceIndex piece = s_.layout.piece_of(b);
    if (s_.pieces.have_piece(piece)) withdrawn.push_back(piece);
    s_.pieces.reset(b);
  }
  for (PieceIndex piece : withdrawn) protocol_->withdraw_piece(piece);
  s_.replan_seeds = true;
  s_.reopen();
}

}  // namespace tributary::core
