// From a magnet link's hashes to the torrent: finds peers, and gets from them the info dictionary
// (BEP 9) and the piece layers that it leaves out (BEP 52). A deterministic machine like Swarm.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/announcer.h"
#include "engine/core/events.h"
#include "engine/core/layer_fetch.h"
#include "engine/core/metadata_book.h"
#include "engine/core/peer_book.h"
#include "engine/core/search_timer.h"

namespace tributary::core {

// After so long a fetch is given up: a listener waits for it.
inline constexpr Duration kFetchLimit = 60s;
// A hybrid whose dictionary is there begins with its v1 hashes when nobody is giving piece layers
// after so long.
inline constexpr Duration kLayerPatience = 1s;
// A peer that has neither dictionary nor layers to give makes room for another after so long.
inline constexpr Duration kIdlePeer = 20s;

struct FetchTarget {
  std::vector<InfoHash> hashes;  // v1 before v2; at least one
  bool v2 = false;               // one of them is
  std::vector<std::vector<std::string>> trackers;
};

struct FetchParams {
  TorrentId id;
  PeerId peer_id;
  std::uint16_t listen_port = 0;  // 0: not reachable
  bool loopback_only = false;     // it is reached from this machine alone
  bool dht = false;               // the host has a DHT to search
  std::string client_name;
  std::uint64_t seed = 1;
  Duration limit = kFetchLimit;
  PeerBookParams book{};
};

struct FetchProgress {
  std::size_t known = 0;      // addresses of peers
  int connected = 0;          // peers
  std::size_t claimants = 0;  // of them say that they have the dictionary
  Bytes size;                 // of it, by their word; zero: nobody told
  Bytes received;
  bool layers = false;  // it is there, and the piece layers are being fetched
};

// Takes PeerConnected, PeerClosed, PeerMessage, AnnounceReply, AnnounceFailed, PeersFound,
// MetadataVerified and LayerVerified; other inputs are ignored. Its actions are Connect,
// Disconnect, Send, Free, Announce, SearchDht, AddDhtNode, VerifyMetadata, VerifyLayer, and once,
// at the end, MetadataFetched. It says no farewell to trackers: the swarm that follows is at the
// same address.
class MetadataFetch {
 public:
  MetadataFetch(FetchTarget target, FetchParams params, BanList& bans, TimePoint now);
  MetadataFetch(const MetadataFetch&) = delete;
  MetadataFetch& operator=(const MetadataFetch&) = delete;

  void handle(const Input& input, TimePoint now);
  void tick(TimePoint now);
  std::optional<Action> poll();
  TimePoint next_deadline() const;

  void add_peer(const Endpoint& peer, TimePoint now);
  // Disconnects everybody; nothing but poll afterwards, which gives no MetadataFetched.
  void close(TimePoint now);

  // To one who came in. REQUIRES: answers_to(info_hash).
  Handshake answer(const InfoHash& info_hash) const;
  bool answers_to(const InfoHash& info_hash) const;
  // For which answers_to() holds.
  std::vector<InfoHash> served() const;
  FetchProgress progress() const;

 private:
  struct Peer {
    Endpoint remote;
    bool inbound = false;
    bool v2 = false;        // it may be asked for layers
    bool metadata = false;  // understands BEP 9
    bool told_dht_port = false;
    bool of_use = false;  // sent a part that was right
    TimePoint connected_at{};
    std::optional<Endpoint> listening;  // where it can be dialled, as far as we know
  };
  enum class Stage { kInfo, kVerifying, kLayers, kOver };

  void on(const PeerConnected& e);
  void on(const PeerClosed& e);
  void on(const PeerMessage& e);
  void on(const AnnounceReply& e);
  void on(const AnnounceFailed& e) { announcer_.on_failure(e.tracker, now_); }
  void on(const PeersFound& e) { book_.add(e.peers, e.source); }
  void on(const MetadataVerified& e);
  void on(const LayerVerified& e);
  template <class T>
  void on(const T&) {}

  void on_message(ConnId conn, Peer& peer, const ExtendedHandshake& m);
  void on_message(ConnId conn, Peer& peer, const MetadataData& m);
  void on_message(ConnId conn, Peer& peer, const MetadataReject& m);
  void on_message(ConnId conn, Peer& peer, const MetadataRequest& m);
  void on_message(ConnId conn, Peer& peer, const Hashes& m);
  void on_message(ConnId conn, Peer& peer, const HashReject& m);
  void on_message(ConnId conn, Peer& peer, const Port& m);
  void on_message(ConnId conn, Peer& peer, const Piece& m);
  template <class M>
  void on_message(ConnId, Peer&, const M&) {}

  void settle();
  void discover();
  void ask();
  void drop_idle();
  void check_end();
  void end(FetchEnd how);
  void greet(ConnId conn, const Peer& peer);
  void blame(const BlockSource& source);
  void disconnect(ConnId conn, std::string reason);
  void leave(ConnId conn);
  void send(ConnId conn, Message message);
  Handshake handshake(const InfoHash& info_hash) const;

  const FetchTarget target_;
  const FetchParams params_;
  BanList& bans_;
  TimePoint now_;
  const TimePoint give_up_at_;
  Announcer announcer_;
  PeerBook book_;
  SearchTimer dht_;
  std::map<ConnId, Endpoint> dials_;
  std::map<ConnId, Peer> peers_;
  std::vector<Endpoint> liars_;  // at loopback, where no address is banned
  MetadataBook metadata_;
  std::optional<LayerFetch> layers_;
  Stage stage_ = Stage::kInfo;
  std::vector<std::uint8_t> info_;  // under verification, or verified
  bool has_v1_ = false;             // it can do without layers
  bool is_private_ = false;
  TimePoint layers_since_{};
  TimePoint look_at_ = kNever;  // for what changes by time alone
  std::uint64_t next_conn_ = 0;
  bool met_anybody_ = false;
  std::deque<Action> out_;
};

}  // namespace tributary::core
