// A world of nodes: the very player::Node that ships, many times, on modelled links, with a
// modelled CDN, a tracker, listeners and faults, in virtual time. One thread; the same seed and
// script give the same run, whatever the compiler.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/slot_map.h"
#include "engine/core/ledger.h"
#include "engine/sim/adversaries.h"
#include "engine/sim/cdn_model.h"
#include "engine/sim/checkers.h"
#include "engine/sim/dht_model.h"
#include "engine/sim/event_queue.h"
#include "engine/sim/links.h"
#include "engine/sim/listener.h"
#include "engine/sim/peer_net.h"
#include "engine/sim/store.h"
#include "engine/sim/trace_digest.h"
#include "engine/sim/track.h"
#include "engine/sim/tracker_model.h"
#include "player/node/node.h"

namespace tributary::sim {

struct WorldParams {
  std::uint64_t seed = 1;
  Duration hash_time = 40us;  // of one block: SHA-256 at 400 MB/s
  TrackerParams tracker;
  bool abort_on_violation = true;
  // Off for load tests of thousands of nodes, where the books would cost more than the nodes.
  bool check = true;
};

struct HostParams {
  AccessLink link{5_Mbps, 10_Mbps, 10ms, 0};
  core::Policy policy;
  bool accepts_inbound = true;  // false: behind a NAT
  bool upload = true;
  core::PeerBookParams book{};
  bool super_seed = false;
  bool leaves_when_done = false;  // with a download
  // What it keeps of tracks that were played, the least recently used go first.
  Bytes cache = Bytes(std::numeric_limits<std::int64_t>::max());
  // It offers so many of the tracks that it heard last, beside the one that plays and the next.
  // None: what it played is open as long as it is there, and not announced any more.
  std::optional<std::int32_t> shares;
  // Takes no memory once it has left, but for its meter, ledger and plays.
  bool forgotten = false;
  std::int32_t realm = 0;  // see World::part()
  // Where it can be dialled; none: an address of its own in 11.0.0.0/8.
  std::optional<Endpoint> address;
  bool overlay = false;         // asks who has the next track, and answers
  bool dht = false;             // is in the DHT
  bool hole_punching = false;   // dials whom others introduce (BEP 55)
  bool rank_addresses = false;  // knows its address, and prefers those near to it
  // Whose addresses are whose; for HostMeter::from_operator, and where it ranks.
  const core::OperatorTable* operators = nullptr;

  // --- adversaries, see adversaries.h ---
  bool corrupt = false;                // sends wrong bytes
  core::ChokeRule unchoke{};           // in place of the policy's
  std::optional<core::Need> claims{};  // to need blocks for that, whatever it does
  bool hides_pieces = false;           // shows as few of its pieces as keep others interested
  bool trace = false;                  // hand core::Decision values to on_decision
};

// What one host moved, as the world saw it.
struct HostMeter {
  Bytes from_peers;     // payload that arrived
  Bytes from_operator;  // of it, from hosts of the same operator
  Bytes from_cdn;
  Bytes to_peers;     // payload that left
  Bytes asked_of_us;  // payload that the node handed to the network
  Bytes stored;
  Bytes repeated;             // stored again, over a block that was there
  Bytes freed_good;           // thrown away though right: duplicates, or too late
  Bytes freed_bad;            // thrown away because wrong
  OriginBytes kept;           // of what arrived: stored for the first time
  OriginBytes duplicate;      // of what arrived: right, and not needed any more
  OriginBytes corrupt;        // of what arrived: wrong
  std::int64_t messages = 0;  // control messages sent
  Bytes message_bytes;        // of them, and of the heads of blocks
  Bytes search_bytes;         // of them, about other peers: exchange, and queries among peers
  std::int32_t connected = 0;
};

// Wrong bytes that one host sent another.
struct Lie {
  HostId victim;
  HostId liar;
  core::ConnId conn;  // of the victim's, the last
  TimePoint first{};
  TimePoint last{};
  Bytes bytes;
  std::optional<TimePoint> cut;  // when the victim closed that connection
};

// Tracks: hosts with their nodes, stores, buffers and listeners; the models they share.
// Lifetime: not movable, since nodes refer to its tracks.
class World : private PeerNetHandler,
              private CdnHandler,
              private TrackerHandler,
              private DhtHandler {
 public:
  explicit World(const WorldParams& params);
  ~World() override;
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // --- population; may also be called from a script ---
  HostId add_edge(const EdgeParams& params);
  core::TorrentId add_track(const TrackParams& params);
  HostId add_node(const HostParams& params);
  // The node has the whole track and shares it.
  void seed(HostId host, core::TorrentId torrent);
  // Plays the list from now on, the first track from `position`.
  void listen(HostId host, std::vector<core::TorrentId> playlist,
              Duration position = Duration::zero());
  // Gets the whole track, rarest first and with no deadline, and shares it.
  void download(HostId host, core::TorrentId torrent);
  // The same later; until then run_until_done() waits for it.
  void listen_at(TimePoint when, HostId host, std::vector<core::TorrentId> playlist);
  // The same by one who has no more than a magnet link: first he gets the dictionary and the piece
  // layers from peers, and gives up when nobody has them to give.
  void follow_at(TimePoint when, HostId host, core::TorrentId torrent);
  // A clean exit says goodbye; a crash leaves others to find out.
  void leave(HostId host, bool clean);
  // Puts a whole track into the host's cache. REQUIRES: it holds nothing of it.
  void give(HostId host, core::TorrentId torrent);
  // Takes over the cache of a host that has left: the same person at another time.
  void inherit(HostId host, HostId from);
  // Offers what `HostParams::shares` says of the cache.
  void share_cache(HostId host);
  // The host has these blocks besides from now on, and shares what it has.
  void offer(HostId host, core::TorrentId torrent, const Bitfield& blocks);
  // The host opens the torrent and hears of the peer, as if its user had named it.
  void introduce(HostId host, core::TorrentId torrent, HostId peer);
  // Plays the track now, in place of all else, or after what the playlist holds.
  void play(HostId host, core::TorrentId torrent);
  void play_next(HostId host, core::TorrentId torrent);

  // --- script ---
  void at(TimePoint when, std::function<void(World&)> script);
  Listener& listener(HostId host) { return *actor(host).listener; }
  const Listener* find_listener(HostId host) const;
  // Lets what was done to a listener from a script reach its node.
  void changed(HostId host);
  // What somebody who reads beside playback tells the host's node; it has the torrent from then on.
  void read(HostId host, const player::Reading& reading);
  void stop_reading(HostId host, core::ReaderId reader);
  // While parted, hosts of different realms cannot reach each other (PeerNet::set_apart); the CDN
  // and the tracker reach all.
  void part(bool apart) { peers_.set_apart(apart); }
  Links& links() { return links_; }
  CdnModel& cdn() { return cdn_; }
  TrackerModel& tracker() { return tracker_; }
  const TrackerModel& tracker() const { return tracker_; }

  // --- running ---
  void run_until(TimePoint end);
  // Until each listener and download is done or gone, or `limit`. Returns whether they are.
  bool run_until_done(TimePoint limit);
  // The checks that need a quiet look at everything. Call it once, at the end.
  void check_books();

  // --- views ---
  TimePoint now() const { return queue_.now(); }
  std::uint64_t seed_number() const { return params_.seed; }
  std::uint64_t events() const { return events_; }
  const TraceDigest& digest() const { return digest_; }
  const Checkers& checkers() const { return checkers_; }
  std::vector<HostId> nodes() const;
  bool online(HostId host) const { return actor(host).online; }
  // REQUIRES: it is not forgotten.
  const player::Node& node(HostId host) const { return *actor(host).node; }
  // Of all torrents that it had open, those that are closed by now as well.
  core::ByteCounts ledger(HostId host) const;
  const Store& store(HostId host) const { return actor(host).store; }
  const HostMeter& meter(HostId host) const { return actor(host).meter; }
  // When its download became whole.
  std::optional<TimePoint> completed(HostId host) const { return actor(host).completed; }
  const std::vector<Lie>& lies() const { return lies_; }
  const Track& track(core::TorrentId torrent) const;
  std::size_t track_count() const { return tracks_.size(); }
  // What all hosts received so far, in all and of one torrent.
  const OriginBytes& received() const { return received_; }
  const OriginBytes& received(core::TorrentId torrent) const {
    return received_of_[torrent.value()];
  }
  const CdnModel& cdn() const { return cdn_; }
  const PeerNet& peer_net() const { return peers_; }
  const DhtModel& dht() const { return dht_; }
  Endpoint address(HostId host) const;
  // Payload bytes in buffers of a host that its node did not store or free yet.
  Bytes in_hand(HostId host) const;

  // Called when a node took what its host heard of peers, trackers and hashes.
  std::function<void(HostId, const core::Input&)> on_input;
  // Called for each traced decision.
  std::function<void(HostId, const core::Decision&)> on_decision;

 private:
  struct BufferTag;
  struct Buffer {
    core::TorrentId torrent;
    core::BlockIndex block;
    Bytes size;
    Origin origin = Origin::kPeers;
    bool bad = false;
  };
  // What nearly every event needs comes first, so that it lies together.
  struct Actor {
    HostId id;
    std::int32_t ticks_now = 0;
    TimePoint last_tick{};
    bool online = true;
    bool expected = false;  // will listen
    bool pumping = false;
    EventId timer;
    TimePoint timer_at = kNever;
    EventId wake;
    TimePoint wake_at = kNever;
    std::unique_ptr<player::Node> node;
    SlotMap<BufferTag, Buffer> buffers;
    Store store;
    HostMeter meter;
    std::optional<PieceHider> hider;
    std::optional<Listener> listener;
    HostParams params;
    std::vector<core::TorrentId> opened;  // at the node
    std::vector<core::TorrentId> cached;  // on the store's shelves, the least recently used first
    std::size_t plays_seen = 0;           // of the listener's
    core::ByteCounts closed;              // the ledgers of what is not open any more
    std::optional<core::TorrentId> download;
    std::optional<TimePoint> completed;
  };
  struct HashJobTag;
  struct HashJob {
    HostId host;
    core::Input result;
  };

  Actor& actor(HostId host) { return *actors_[static_cast<std::size_t>(host.value())]; }
  const Actor& actor(HostId host) const { return *actors_[static_cast<std::size_t>(host.value())]; }

  // PeerNetHandler
  std::optional<Welcome> welcome(HostId host, const core::Handshake& theirs) override;
  void peer_input(HostId host, core::Input input) override;
  void payload_arrived(HostId host, core::ConnId conn, const Payload& payload) override;
  // CdnHandler
  void http_input(HostId client, const cdn::HttpInput& input) override;
  void http_block(HostId client, cdn::HttpId request, core::TorrentId torrent,
                  core::BlockIndex block, Bytes length, bool corrupt) override;
  // TrackerHandler
  void tracker_input(HostId host, const core::Input& input) override;
  // DhtHandler
  void dht_found(HostId host, core::TorrentId torrent, const std::vector<Endpoint>& peers) override;

  void step();
  void tick(Actor& a);
  void dispatch(const Event& event);
  void feed(Actor& a, const core::Input& input);
  void feed(Actor& a, const cdn::HttpInput& input);
  std::unique_ptr<player::Node> make_node(const HostParams& params, const PeerId& peer_id,
                                          const Endpoint& address);
  void open(Actor& a, core::TorrentId torrent);
  void close(Actor& a, core::TorrentId torrent);
  void forget(Actor& a);
  void arrange_cache(Actor& a);
  void offer_surplus(Actor& a);
  void evict(Actor& a);
  void note_received(core::TorrentId torrent, Origin origin, Bytes size);
  void pump(Actor& a);
  bool drain_node(Actor& a);
  bool drain_listener(Actor& a);
  // What the listener's player tells its node.
  void hear(Actor& a, const player::PlayerInput& input);
  void hear(Actor& a, const core::Input& input);
  void set_timer(EventId& event, TimePoint& planned, TimePoint at, const Event& what);
  bool everyone_done() const;

  // Performing actions (world_actions.cpp).
  void perform(Actor& a, player::NodeAction action);
  void send(Actor& a, core::Send action);
  void show_pieces(Actor& a, const core::PeerMessage& heard);
  void note_lie(Actor& a, core::ConnId conn, const Payload& payload);
  void note_cut(const Actor& a, core::ConnId conn);
  void note_completion(Actor& a);
  void perform(Actor& a, const core::Connect& action);
  void perform(Actor& a, const core::Disconnect& action);
  void perform(Actor& a, core::Send&& action);
  void perform(Actor& a, const core::SendBlock& action);
  void perform(Actor& a, const core::ServeHashes& action);
  void perform(Actor& a, const core::Verify& action);
  void perform(Actor& a, const core::VerifyHashes& action);
  void perform(Actor& a, const core::Store& action);
  void perform(Actor& a, const core::Free& action);
  void perform(Actor& a, const core::Announce& action);
  void perform(Actor&, const core::AnnounceLocally&) {}
  void perform(Actor& a, const core::SearchDht& action);
  void perform(Actor& a, const core::AddDhtNode& action);
  void perform(Actor& a, const core::VerifyMetadata& action);
  void perform(Actor& a, const core::VerifyLayer& action);
  void perform(Actor& a, const core::MetadataFetched& action);
  void perform(Actor& a, const core::MayStart& action);
  void perform(Actor& a, const core::Trace& action);
  void perform(Actor& a, const cdn::HttpGet& action);
  void perform(Actor& a, const cdn::HttpCancel& action);
  // The node's own edge pool takes these.
  void perform(Actor&, const core::CdnFetch&) { TRIBUTARY_CHECK(false); }
  void perform(Actor&, const core::CdnCancel&) { TRIBUTARY_CHECK(false); }
  void perform(Actor&, const core::CdnCorrupt&) { TRIBUTARY_CHECK(false); }
  bool is_right(const Actor& a, const core::Verify& action) const;
  std::vector<Sha256> digests(const Actor& a, const core::Verify& action) const;
  void hash(HostId host, core::Input result, std::size_t blocks);
  core::BufferId make_buffer(Actor& a, const Buffer& buffer);
  std::optional<Buffer> take_buffer(Actor& a, core::BufferId id);

  WorldParams params_;
  Random random_;
  EventQueue queue_;
  Links links_{queue_};
  CdnModel cdn_;
  TrackerModel tracker_;
  PeerNet peers_;
  DhtModel dht_;
  Checkers checkers_;
  TraceDigest digest_;
  std::vector<std::unique_ptr<Track>> tracks_;
  std::vector<OriginBytes> received_of_;  // by torrent
  OriginBytes received_;
  std::vector<std::unique_ptr<Actor>> actors_;  // by HostId; null for edges
  SlotMap<HashJobTag, HashJob> hashing_;
  std::vector<std::function<void(World&)>> scripts_;
  std::vector<Lie> lies_;
  std::uint64_t events_ = 0;
};

}  // namespace tributary::sim
