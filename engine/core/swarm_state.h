// All that one torrent's swarm knows, as one value that the swarm's parts work on. Each part owns
// the writing of some of it: PeerProtocol the peers, Receiver and Uploader the blocks and queues,
// Planner the requests. They speak to the world only through `out`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/compact_map.h"
#include "engine/base/fifo.h"
#include "engine/base/random.h"
#include "engine/core/choker.h"
#include "engine/core/demand.h"
#include "engine/core/events.h"
#include "engine/core/layout.h"
#include "engine/core/ledger.h"
#include "engine/core/peer.h"
#include "engine/core/peer_address.h"
#include "engine/core/peer_book.h"
#include "engine/core/piece_map.h"
#include "engine/core/policy.h"
#include "engine/core/rarest_first.h"
#include "engine/core/start_rule.h"
#include "engine/core/torrent_info.h"

namespace tributary::core {

struct SwarmParams {
  TorrentId id;
  Policy policy;
  PeerId peer_id;
  std::uint16_t listen_port = 0;  // 0: not reachable
  bool loopback_only = false;     // it is reached from this machine alone
  bool dht = false;               // the host has a DHT to search
  std::uint16_t dht_port = 0;     // of our node in it; 0: it answers nobody
  bool local = false;             // the host tells the local network of us
  bool overlay = false;           // ask and answer in the overlay, see overlay.h
  std::string client_name;
  std::uint64_t seed = 1;
  bool trace = false;
  bool upload = true;
  bool super_seed = false;     // once complete: reveal pieces one by one (BEP 16)
  bool hole_punching = false;  // the host dials by uTP as BEP 55 asks
  PeerBookParams book{};
  ChokeRule unchoke{};  // in place of the policy's unchoker
  // Prefer peers by their addresses, where nothing else decides.
  bool rank_addresses = false;
  const OperatorTable* operators = nullptr;  // of which addresses are near; must outlive the swarm
  std::optional<Endpoint> own_address;       // none: peers tell it
};

// The CDN as the planner sees it.
struct CdnBook {
  struct Request {
    BlockRange blocks;
    std::int32_t missing = 0;  // blocks that did not arrive yet
    CdnReason reason{};
  };
  bool available = false;
  // It owes an answer for longer than it may take. Until it is heard of again it insures nothing,
  // and what it owes may be asked of peers.
  bool silent = false;
  TimePoint heard_at{};  // or when it was asked after an idle time
  Duration first_byte_high = 300ms;
  BitRate throughput_low = 2_Mbps;
  std::map<CdnRequestId, Request> requests;
  // It lied: the verdicts up to this one are awaited, so that one request asks anew for what one
  // brought.
  std::optional<VerifyId> doubted;

  bool insures() const { return available && !silent; }
  // How long it may take to bring one block, on the cautious side.
  Duration answer_time() const {
    return first_byte_high + transfer_time(kBlockSize, throughput_low);
  }
};

struct SwarmState {
  SwarmState(const Metainfo& metainfo, const SwarmParams& parameters)
      : params(parameters),
        meta(metainfo),
        layout(metainfo.info),
        random(parameters.seed),
        pieces(layout),
        rarity(layout.piece_count()),
        ledger(metainfo.info.files.size()) {}

  SwarmParams params;                              // policy and upload may change
  std::uint16_t listen_port = params.listen_port;  // told to peers; it may change
  const Metainfo& meta;
  const Layout layout;
  Random random;
  TimePoint now{};

  PieceMap pieces;
  RarestFirst rarity;
  CompactMap<ConnId, Peer> peers;
  CdnBook cdn;
  std::vector<Demand> demands;       // what plays first, then what is prefetched
  std::optional<BlockRange> waited;  // the demuxer stands still for these
  std::optional<TimePoint> demanded_since;
  bool discovery_over = false;  // a tracker said that nobody else is there
  bool background = false;
  bool emergency = false;
  bool replan_cdn = true;             // something changed that may make CDN requests due
  bool replan_seeds = true;           // the neighbourhood or the demand changed
  std::int64_t open_epoch = 1;        // grows whenever blocks may have become askable of anybody
  std::vector<ConnId> changed_peers;  // that may be asked for more since the last plan
  TimePoint watch_at = kNever;        // when PeerProtocol::on_time() is due
  RateHistory history;
  BitRate media_rate;  // of the file that has most; a guess at worst
  Ledger ledger;
  Fifo<Action> out;

  Peer* peer(ConnId conn) {
    const auto it = peers.find(conn);
    return it == peers.end() ? nullptr : &it->second;
  }
  void send(Peer& to, Message message) {
    to.last_sent = now;
    out.emplace_back(Send{params.id, to.conn, std::move(message)});
  }
  void disconnect(const Peer& peer, std::string reason) {
    out.emplace_back(Disconnect{params.id, peer.conn, std::move(reason)});
  }
  // Someone's silence is to be noticed by then.
  void watch_by(TimePoint time) { watch_at = std::min(watch_at, time); }
  // Something became askable again.
  void reopen() {
    ++open_epoch;
    replan_cdn = true;
  }
  // The blocks that must be fetched for these bytes to become readable: whole pieces where a piece
  // can only be verified whole.
  BlockRange needed(ByteRange bytes) const;
  bool wanted(BlockIndex block) const;
  FileIndex file_of(BlockIndex block) const;
  Bytes length_of(BlockIndex block) const { return layout.block_range(block).size(); }
  ByteCounts& counts(BlockIndex block) { return ledger.at(file_of(block)); }
  bool active() const { return !demands.empty() || background; }
  // The most urgent of what we want.
  Need need() const;
  // Peers are served by what they need.
  bool serves_by_need() const { return params.policy.unchoker == Unchoker::kNeedFirst; }
  bool super_seeding() const { return params.super_seed && pieces.complete(); }
  // When the CDN will have owed an answer for too long; kNever: it owes none, or there is nobody
  // else to ask.
  TimePoint silence_at() const;
  // Lets peers have what a CDN owes that is silent by now.
  void note_silence();
  // A block came, or nothing is owed any more.
  void hear_cdn();
  // The contiguous verified media of a demand that follows its playhead.
  Duration buffered(const Demand& demand, TimePoint when) const;
  Duration buffered(const Demand& demand) const { return buffered(demand, now); }
  // Hashes that cover one block alone: the v2 leaf when a piece is a block.
  std::optional<Sha256> leaf_of(BlockIndex block) const;
  bool verifiable() const { return meta.info.has_v1() || meta.info.has_v2(); }
  // What peers do not bring comes from the CDN in time.
  bool cdn_insures() const { return params.policy.use_cdn && cdn.insures(); }
  // Strangers' bytes are of use only where a hash tells whether they are right.
  // Fetches from the CDN for others as well: of use to them only if they get it from us.
  bool seeds_swarm() const { return params.policy.seed_swarm && params.upload; }
  // A private torrent's peers are its tracker's to name (BEP 27).
  bool uses_dht() const { return params.dht && !meta.info.is_private; }
  bool announces_locally() const { return params.local && !meta.info.is_private; }
  bool punches_holes() const { return params.hole_punching && !meta.info.is_private; }
  bool uses_overlay() const { return params.overlay && !meta.info.is_private && uses_peers(); }
  // Where the peer at that address can dial us; 0: nowhere.
  std::uint16_t port_for(const Endpoint& peer) const {
    return port_told(peer, listen_port, params.loopback_only);
  }
  bool uses_peers() const { return params.policy.use_peers && verifiable(); }
  std::map<PieceIndex, std::vector<Sha256>> leaves;  // verified, for pieces of several blocks
};

}  // namespace tributary::core
