// One whole client as a machine: swarms, edge pool and prefetch together. It does no I/O and reads
// no clock: feed inputs, drain poll(), call tick() at next_deadline(). The real client
// (player/client) and the simulator (engine/sim) host this same class.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cdn/pool/edge_pool.h"
#include "cdn/pool/http.h"
#include "engine/core/events.h"
#include "engine/core/metadata_fetch.h"
#include "engine/core/overlay.h"
#include "engine/core/policy.h"
#include "engine/core/swarm.h"
#include "engine/core/torrent_info.h"
#include "prefetch/prefetch_planner.h"

namespace tributary::player {

struct NodeParams {
  core::Policy policy;
  PeerId peer_id;
  std::uint16_t listen_port = 0;  // told to trackers and peers; 0: none
  bool loopback_only = false;     // it is told to peers at loopback alone
  bool dht = false;               // the host performs core::SearchDht
  std::uint16_t dht_port = 0;     // of its DHT node, told to peers; 0: it answers nobody
  bool local = false;             // the host performs core::AnnounceLocally
  bool overlay = false;           // ask peers who has the next track, and answer them
  std::string session;            // CMCD sid; empty sends no CMCD
  std::uint64_t seed = 1;
  bool trace = false;  // emit core::Trace actions
  bool upload = true;
  bool super_seed = false;      // reveal pieces one by one (BEP 16)
  bool hole_punching = false;   // the host dials by uTP as BEP 55 asks
  core::PeerBookParams book{};  // how many peers, and how fast
  core::ChokeRule unchoke{};    // in place of the policy's unchoker
  // As in core::SwarmParams.
  bool rank_addresses = false;
  const core::OperatorTable* operators = nullptr;
  std::optional<Endpoint> own_address;
  BitRate up = kUnlimited;  // what the host will enforce; for planning only
  std::string client_name = "Tributary 0.1";
};

// One file of one open torrent.
struct TrackRef {
  core::TorrentId torrent;
  core::FileIndex file;
  friend bool operator==(const TrackRef&, const TrackRef&) = default;
};

// Player inputs ---------------------------------------------------------------------------------

// Where playback stands. Send it at each change of the line position(time): start, first frame,
// pause, stall, resume, seek, track change; and after a few seconds when the sink's clock drifts.
struct Playback {
  TrackRef track;
  Duration position{};    // media time that is heard at the input's time, or will be first
  bool moving = false;    // the playhead advances
  bool starting = false;  // first start or after a seek: nothing was heard since
  bool paused = false;    // by the listener: not a stall
};
// Nothing is playing any more.
struct PlaybackEnded {};
// The track that follows the current one, or none.
struct NextTrack {
  std::optional<TrackRef> track;
};
// Where somebody stands who reads a file beside playback; any number may (core::SetReader). Send it
// when reading begins, when the first bytes were read, as it goes on, and at each seek. Ignored for
// a torrent that is not open.
struct Reading {
  core::ReaderId reader;  // not core::kNoReader
  TrackRef track;         // always the same for one reader
  ByteRange unread;       // within the file: what it has yet to take
  bool starting = false;  // nothing was read yet since it began or sought
  BitRate rate;           // it reads at least so fast; zero: at the media's pace
  Duration lead{};        // see core::SetReader
};
// What was asked for it alone is cancelled.
struct ReadingEnded {
  core::ReaderId reader;
};
using PlayerInput = std::variant<Playback, PlaybackEnded, NextTrack, Reading, ReadingEnded>;

// Everything a host performs. core::CdnFetch, CdnCancel and CdnCorrupt never appear: the node's own
// edge pool takes them.
using NodeAction = std::variant<core::Action, cdn::HttpAction>;

class Node {
 public:
  explicit Node(NodeParams params);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Opens a torrent; it stays silent until a demand, a background download or an inbound peer.
  // `metainfo` must outlive the torrent. `verified` says which blocks the host has already
  // (empty: none). REQUIRES: the id is new.
  void open(core::TorrentId torrent, const core::Metainfo& metainfo, const Bitfield& verified,
            TimePoint now);
  // Fetches the metadata of a torrent of which no more is known than its hashes; ends with
  // core::MetadataFetched, and is closed then. REQUIRES: the id is new.
  void fetch(core::TorrentId torrent, core::FetchTarget target, TimePoint now);
  // Of a fetch; nothing when there is none of this id.
  std::optional<core::FetchProgress> progress(core::TorrentId torrent) const;
  // Says goodbye to trackers and peers; actions for it may still be polled afterwards.
  void close(core::TorrentId torrent, TimePoint now);
  // Share what we have of it (and announce), without demanding anything.
  void share(core::TorrentId torrent, bool enabled, TimePoint now);
  // For all torrents: another policy, its unchoker aside, and whether peers are served.
  void set_conduct(const core::Policy& policy, bool upload, TimePoint now);
  // Other URLs of its edges, such as freshly signed ones, as core::Metainfo has them. What was
  // refused or distrusted is forgotten.
  void set_edges(core::TorrentId torrent, const std::vector<std::string>& edges, TimePoint now);
  // The port that the peers of later connections are told, as in NodeParams.
  void set_listen_port(std::uint16_t port);
  // Adds a peer known to the user, of a torrent or a fetch.
  void add_peer(core::TorrentId torrent, const Endpoint& peer, TimePoint now);

  void handle(const core::Input& input, TimePoint now);
  void handle(const cdn::HttpInput& input, TimePoint now);
  void handle(const PlayerInput& input, TimePoint now);
  // Lets due deadlines act. Harmless when early.
  void tick(TimePoint now);

  std::optional<NodeAction> poll();
  TimePoint next_deadline() const;  // kNever: none

  // The handshake for an incoming connection to this info-hash; nothing when it is not served.
  struct Welcome {
    core::TorrentId torrent;
    core::Handshake handshake;
  };
  std::optional<Welcome> welcome(const core::Handshake& remote) const;
  // Every info-hash that has a welcome.
  std::vector<InfoHash> info_hashes() const;

  // Views for reports and the simulator's checkers; valid until the next call that is not const.
  const core::Swarm* swarm(core::TorrentId torrent) const;
  const cdn::EdgePool& edges() const;
  const core::Overlay& overlay() const;
  // Media ahead of the playhead of the playing track, as contiguous verified bytes.
  Duration buffered(TimePoint now) const;
  prefetch::PrefetchStage prefetch_stage() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::player
