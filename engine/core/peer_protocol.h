// The peer protocol as a state machine over typed messages: who has what, who wants what, choking
// and rejects (BEP 3, 6, 10, 21, 52, 54). Blocks and requests are passed on to Receiver, Uploader
// and MetadataServer.
#pragma once

#include "engine/core/metadata_server.h"
#include "engine/core/receiver.h"
#include "engine/core/super_seed.h"
#include "engine/core/swarm_state.h"
#include "engine/core/uploader.h"

namespace tributary::core {

// Requests that we accept at once from one peer, told as `reqq` (BEP 10): 8 MiB of blocks.
inline constexpr std::int32_t kOurRequestQueue = 512;
// Broken rules that a peer is allowed before it is dropped; honest races cause a few.
inline constexpr std::int32_t kMaxOffences = 32;
// Requests that an unchoked peer may reject in a row: two full pipelines of a peer that lost what
// it had. One that rejects for ever would be asked for ever, once a round trip.
inline constexpr std::int32_t kMaxRejects = 64;
// Connections are declared dead by both sides after 2 minutes of silence (BEP 3).
inline constexpr Duration kKeepAliveInterval = 100s;
// BEP 3's anti-snubbing: unchoked, asked, and silent for so long.
inline constexpr Duration kSnubTime = 60s;
// A peer silent for so long gives its requests up to others, and gets new ones when it delivers.
inline constexpr Duration kStallTime = 5s;
// Complete peers that a complete client stays connected to for what they know of other torrents: as
// many as one query asks. Idle connections cost both ends a socket.
inline constexpr int kMaxKeptForOverlay = 10;
// A peer's need changes when a track begins or ends, so no faster than a listener skips.
inline constexpr Duration kNeedPace = 200ms;

class PeerProtocol {
 public:
  PeerProtocol(SwarmState& state, Receiver& receiver, Uploader& uploader, MetadataServer& metadata)
      : s_(state),
        receiver_(receiver),
        uploader_(uploader),
        metadata_(metadata),
        super_seed_(state) {}

  void on_connected(const PeerConnected& event);
  void on_closed(ConnId conn);
  void on_message(ConnId conn, const Message& message);
  void on_sent(const BlockSent& event);

  // We have the piece now: tell the peers that lack it, and drop interest that is satisfied.
  void announce_piece(PieceIndex piece);
  // We no longer have it (BEP 54).
  void withdraw_piece(PieceIndex piece);
  // Demands came or went.
  void refresh_interest();
  // Nothing is demanded any more: nobody needs to be there for what comes next.
  void drop_useless();
  // Keep-alives, snubs and stalls that are due; returns when the next may be.
  TimePoint on_time();

 private:
  bool speaks_v2(const PeerConnected& event) const;
  void greet(Peer& peer);
  void on(Peer& peer, const Choke&);
  void on(Peer& peer, const Unchoke&);
  void on(Peer& peer, const Interested&);
  void on(Peer& peer, const NotInterested&);
  void on(Peer& peer, const Have& m);
  void on(Peer& peer, const BitfieldMessage& m);
  void on(Peer& peer, const HaveAll&);
  void on(Peer& peer, const HaveNone&);
  void on(Peer& peer, const Request& m) { uploader_.on_request(peer, m.span); }
  void on(Peer& peer, const Cancel& m) { uploader_.on_cancel(peer, m.span); }
  void on(Peer& peer, const RejectRequest& m);
  void on(Peer& peer, const Piece& m) { receiver_.on_piece(peer, m); }
  void on(Peer& peer, const SuggestPiece&) { static_cast<void>(peer); }
  void on(Peer& peer, const AllowedFast& m);
  void on(Peer& peer, const DontHave& m);
  void on(Peer& peer, const HashRequest& m);
  void on(Peer& peer, const Hashes& m) { receiver_.on_hashes(peer, m); }
  void on(Peer& peer, const HashReject&) { static_cast<void>(peer); }
  void on(Peer& peer, const ExtendedHandshake& m);
  void on(Peer& peer, const PeerExchange&) { static_cast<void>(peer); }  // PeerExchanger's
  void on(Peer& peer, const MetadataRequest& m) { metadata_.on_request(peer, m); }
  void on(Peer& peer, const MetadataData&) { static_cast<void>(peer); }    // never asked for here
  void on(Peer& peer, const MetadataReject&) { static_cast<void>(peer); }  // nor this
  void on(Peer& peer, const Port&) { static_cast<void>(peer); }            // Swarm's
  void on(Peer& peer, const HolePunch&) { static_cast<void>(peer); }       // HolePuncher's
  void on(Peer& peer, const NeedMessage& m);
  void on(Peer& peer, const OverlayQuery&) { static_cast<void>(peer); }   // Overlay's
  void on(Peer& peer, const OverlayAnswer&) { static_cast<void>(peer); }  // as well
  void on(Peer& peer, const KeepAlive&) { static_cast<void>(peer); }

  void set_has(Peer& peer, Bitfield has);
  void add_has(Peer& peer, PieceIndex piece);
  void update_interest(Peer& peer);
  bool has_wanted(Peer& peer);
  void drop_if_useless(Peer& peer);
  bool keeps_for_overlay(const Peer& peer) const;
  void tell_need(Peer& peer);
  bool valid(PieceIndex piece) const {
    return piece.value() >= 0 && piece.value() < s_.layout.piece_count();
  }

  SwarmState& s_;
  Receiver& receiver_;
  Uploader& uploader_;
  MetadataServer& metadata_;
  SuperSeed super_seed_;
};

}  // namespace tributary::core
