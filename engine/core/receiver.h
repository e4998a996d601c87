// The way of a block from the network to the store: accounted, matched with its request, verified,
// kept; or found wrong and blamed on its sender.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/core/smart_ban.h"
#include "engine/core/swarm_state.h"

namespace tributary::core {

class PeerProtocol;

// Tracks who sent each unverified block, until the verdict.
class Receiver {
 public:
  Receiver(SwarmState& state, BanList& bans) : s_(state), bans_(bans) {}
  void connect(PeerProtocol& protocol) { protocol_ = &protocol; }

  void on_piece(Peer& peer, const Piece& message);
  void on_cdn_block(const CdnBlock& event);
  void on_cdn_ended(const CdnEnded& event);
  void on_verified(const Verified& event);
  void on_hashes(Peer& peer, const Hashes& message);
  void on_hashes_verified(const HashesVerified& event);
  void on_lost(const BlocksLost& event);

  // Takes the block out of the peer's requests without telling it; whether it was there.
  bool release_request(Peer& peer, BlockIndex block);
  // The same for all of its requests: it closed or choked us.
  void release_requests(Peer& peer);
  // Lets others have the peer's requests and cancels them there.
  void yield_requests(Peer& peer);
  // The same for all but the `keep` requests that were made first.
  void yield_latest(Peer& peer, std::int32_t keep);
  // Forgets cancelled requests to which no answer is due, once their blocks cannot be under way any
  // more. Returns when to call again.
  TimePoint forget_cancelled(Peer& peer);
  // Makes the first missing block that is wanted and that the peer owes askable again.
  void forget_one_cancelled(Peer& peer);
  // Lets others deliver the pieces that were to come from this peer alone.
  void give_up_exclusive(const Peer& peer);
  // Before the end: payload that has no verdict yet goes back to the host.
  void free_unverified();
  // Tells the peer that the block is no longer wanted from it.
  void cancel_request(Peer& peer, BlockIndex block);

  // Whether this source may be asked for blocks of the piece (an exclusive piece has one source).
  bool may_ask(PieceIndex piece, const BlockSource& source) const;
  // The source was asked for a block of the piece.
  void note_asked(PieceIndex piece, const BlockSource& source);

 private:
  // `asked` in what follows: why the CDN was asked for the block; nothing where a peer sent it.
  void accept(BlockIndex block, BufferId buffer, const BlockSource& source,
              std::optional<CdnReason> asked = std::nullopt);
  void discard(BlockIndex block, BufferId buffer, std::optional<CdnReason> asked = std::nullopt);
  void cancel_others(BlockIndex block, ConnId except);
  void cancel_needless_fetch(BlockIndex block);
  void learn_of_cancels(Peer& peer, const Download::Outstanding& answered);
  void verify_if_ready(BlockIndex block);
  bool is_judged(BlockIndex block, VerifyId by) const;
  void keep(BlockIndex block);
  void approve(const Verified& event);
  void reject(const Verified& event);
  void settle_doubt();
  // `blocks`: of which the guilty sent some.
  void punish(const std::vector<BlockSource>& guilty, BlockRange blocks);
  void want_leaves(Peer& peer, PieceIndex piece);

  SwarmState& s_;
  BanList& bans_;
  PeerProtocol* protocol_ = nullptr;
  SmartBan smart_ban_;
  struct Origin {
    BlockSource source;
    std::optional<CdnReason> asked;
    VerifyId verify;  // the last that it is part of
  };
  std::map<BlockIndex, Origin> origins_;  // of received, unverified blocks
  std::uint64_t next_verify_ = 0;
};

}  // namespace tributary::core
