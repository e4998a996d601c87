// One torrent: its swarm, its demands, its part of the CDN. A deterministic machine without I/O:
// handle inputs, drain poll(), come back at next_deadline().
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/announcer.h"
#include "engine/core/dht_own_address.h"
#include "engine/core/hole_puncher.h"
#include "engine/core/metadata_server.h"
#include "engine/core/overlay.h"
#include "engine/core/peer_book.h"
#include "engine/core/peer_exchanger.h"
#include "engine/core/peer_protocol.h"
#include "engine/core/planner.h"
#include "engine/core/receiver.h"
#include "engine/core/search_timer.h"
#include "engine/core/swarm_state.h"
#include "engine/core/uploader.h"

namespace tributary::core {

// The letters of PeerView::flags, as µTorrent and its followers use them, in their order.
struct PeerFlag {
  char letter;
  std::string_view meaning;
};
inline constexpr std::array kPeerFlags = {
    PeerFlag{'D', "downloading: we are interested, it has unchoked us"},
    PeerFlag{'d', "we would download, but it chokes us"},
    PeerFlag{'U', "uploading: it is interested, we have unchoked it"},
    PeerFlag{'u', "it would download, but we choke it"},
    PeerFlag{'O', "optimistic unchoke: it did not earn its slot"},
    PeerFlag{'S', "snubbed: it owes us blocks and has sent none for a minute"},
    PeerFlag{'I', "incoming connection"},
    PeerFlag{'H', "found in the DHT"},
    PeerFlag{'X', "found through peer exchange"},
    PeerFlag{'Q', "found through a query among the peers of another torrent"},
    PeerFlag{'L', "found on the local network"},
    PeerFlag{'E', "everything is encrypted"},
    PeerFlag{'e', "the handshake was encrypted"},
    PeerFlag{'P', "over uTP, which gives way to other traffic"},
    PeerFlag{'h', "through a hole punched in a router"},
    PeerFlag{'F', "had a hand in a piece that failed its hash"},
    PeerFlag{'K', "it has unchoked us, but we are not interested"},
    PeerFlag{'?', "we have unchoked it, but it is not interested"}};

// One peer for a user's eyes.
struct PeerView {
  ConnId conn;
  Endpoint remote;
  std::string client;
  std::string flags;  // the customary letters, see kPeerFlags
  BitRate down;       // over the last ten seconds
  BitRate up;
  Bytes received;
  Bytes sent;
  std::int32_t pieces = 0;     // it has
  std::int32_t in_flight = 0;  // blocks asked of it
};

// One who reads beside playback, for a user's eyes.
struct ReaderView {
  ReaderId reader;
  FileIndex file;
  Bytes at;             // where it stands, within the file
  Duration playhead{};  // the media it is taken to be at
  Duration buffered{};  // verified media ahead of that
  bool waits = false;   // for the byte it stands at
};

class Swarm {
 public:
  // `metainfo` must outlive the swarm. `verified` are blocks that the host has already.
  Swarm(const Metainfo& metainfo, const SwarmParams& params, const Bitfield& verified,
        BanList& bans, TimePoint now);
  Swarm(const Swarm&) = delete;
  Swarm& operator=(const Swarm&) = delete;

  void handle(const Input& input, TimePoint now);
  void tick(TimePoint now);
  std::optional<Action> poll();
  TimePoint next_deadline() const;

  void add_peer(const Endpoint& peer, TimePoint now);
  // What the peers of later connections are told, as SwarmParams says.
  void set_listen_port(std::uint16_t port);
  // Announce and serve without demanding anything.
  void share(bool enabled, TimePoint now);
  // Another policy, its unchoker aside, and whether peers are served. Who is served no longer is
  // choked at once; sources that the policy does not use are left.
  void set_conduct(const Policy& policy, bool upload, TimePoint now);
  // Farewell: disconnects everybody and tells the trackers. Nothing but tick and poll afterwards.
  void close(TimePoint now);

  // To one who came in: a hybrid's peer that speaks v2 is told its v2 hash (BEP 52).
  // REQUIRES: answers_to(remote.info_hash).
  Handshake answer(const Handshake& remote) const;
  bool answers_to(const InfoHash& info_hash) const;
  // For which answers_to() holds.
  std::vector<InfoHash> served() const;

  // Its part in the overlay (overlay.h), of a torrent that is not private; else there is none.
  bool in_overlay() const { return s_.uses_overlay() && !closed_; }
  // The connections whose peers understand queries.
  std::vector<OverlayLink> overlay_links() const;
  // Nothing where the peer does not.
  std::optional<OverlayLink> overlay_link(ConnId conn) const;
  // Who has some of it: ourselves, and those of our peers that the asker may hear of.
  OverlaySources overlay_sources(const OverlayLink& asker) const;
  void send_overlay(ConnId conn, Message message, TimePoint now);
  void note_overlay_offence(ConnId conn, TimePoint now);

  // Views, valid until the next call that is not const.
  const Layout& layout() const { return s_.layout; }
  const Metainfo& metainfo() const { return s_.meta; }
  const Bitfield& have_blocks() const { return s_.pieces.have_blocks(); }
  const Bitfield& have_pieces() const { return s_.pieces.have_pieces(); }
  const Ledger& ledger() const { return s_.ledger; }
  std::vector<PeerView> peers() const;
  std::size_t peer_count() const { return s_.peers.size(); }
  bool emergency() const { return s_.emergency; }
  // Blocks on their way from the CDN and from peers.
  Bitfield asked_of_cdn() const;
  Bitfield asked_of_peers() const;
  // Those who lack something of what they read.
  std::vector<ReaderView> readers(TimePoint now) const;
  // The contiguous verified media ahead of the playhead in the file's demand; zero without one.
  Duration buffered(FileIndex file, TimePoint now) const;
  // The file's timeline: what SetTimeline gave, else the hints, else size ÷ duration, else a guess.
  const ByteTimeMap& timeline(FileIndex file) const;
  // Whether it is better than a guess.
  bool timeline_known(FileIndex file) const {
    return !guessed_[static_cast<std::size_t>(file.value())];
  }
  bool file_complete(FileIndex file) const;
  // Bytes of the range that are not verified yet.
  Bytes missing(FileIndex file, ByteRange in_file) const;

 private:
  void on(const PeerConnected& e);
  void on(const PeerClosed& e);
  void on(const PeerMessage& e);
  void on_hello(Peer& peer, const ExtendedHandshake& hello);
  void note_own_address(const std::optional<Endpoint>& peer, const Endpoint& seen);
  void apply_own_address();
  void on_dht_port(Peer& peer, const Port& message);
  void dial(const Endpoint& remote, bool punches);
  void abandon_dial(const Endpoint& remote);
  void leave_former_tracker(const AnnounceReply& e);
  void watch_dials();
  void reconsider_dials();
  bool is_punched(const PeerConnected& e) const;
  void on(const BlockSent& e) {
    uploader_.on_sent(e);
    protocol_.on_sent(e);
  }
  void on(const Verified& e) { receiver_.on_verified(e); }
  void on(const HashesVerified& e) { receiver_.on_hashes_verified(e); }
  void on(const Restored& e);
  void on(const BlocksLost& e) { receiver_.on_lost(e); }
  void on(const AnnounceReply& e);
  void on(const AnnounceFailed& e) { announcer_.on_failure(e.tracker, s_.now); }
  void on(const PeersFound& e);
  void on(const CdnBlock& e) { receiver_.on_cdn_block(e); }
  void on(const CdnEnded& e) { receiver_.on_cdn_ended(e); }
  void on(const CdnHealth& e);
  void on(const SetTimeline& e);
  void on(const SetDemand& e);
  void on(const ClearDemand& e);
  void on(const SetReader& e);
  void on(const ReaderWaits& e);
  void on(const SetBackground& e);
  void on(const MetadataVerified&) {}  // a fetch's, as the next
  void on(const LayerVerified&) {}

  void settle();
  std::optional<TimePoint> head_first_until() const;
  void discover();
  void dial_those_sought();
  PeerBook::Seek whom_to_seek() const;
  void announce();
  void update_emergency();
  void update_media_rate();
  void check_start();
  void move_reader(const SetReader& e, Demand& demand);
  void apply_timeline(Demand& demand);
  void sort_demands();
  void drop_stale_requests(FileIndex file, ReaderId reader);
  void drop_cdn_request(CdnRequestId id);
  void drop_stale_cdn_requests();
  void cancel_peer_requests(const std::function<bool(BlockIndex)>& keeps);
  Handshake handshake(const InfoHash& info_hash) const;
  bool simultaneous(const PeerConnected& e);
  void part_with_least_useful();
  PeerBook::Outcome outcome_of(const Peer& peer) const;
  std::string flags_of(const Peer& peer) const;

  SwarmState s_;
  BanList& bans_;
  Receiver receiver_;
  Uploader uploader_;
  MetadataServer metadata_;
  PeerProtocol protocol_;
  Planner planner_;
  Announcer announcer_;
  Locality locality_;
  dht::OwnAddress own_address_;  // as peers and trackers see us
  PeerBook book_;
  PeerExchanger exchanger_;
  HolePuncher puncher_;
  SearchTimer dht_;
  SearchTimer local_;
  struct Dial {
    Endpoint remote;
    TimePoint at;
    bool punches = false;
    bool unanswered = false;  // for kPunchAfter
  };
  std::map<ConnId, Dial> dials_;        // not yet connected
  TimePoint unanswered_at_ = kNever;    // when the next of them will be
  std::vector<ByteTimeMap> timelines_;  // by FileIndex
  std::vector<bool> guessed_;
  std::string named_by_;  // the tracker whose peers a private torrent's are
  std::uint64_t next_conn_ = 0;
  bool sharing_ = false;
  bool closed_ = false;
  bool was_complete_ = false;  // the tracker is told of a download that completes, once
  int neighbour_dials_ = 0;    // as long as something is demanded
};

}  // namespace tributary::core
