// The peers that announced themselves to a node, by info-hash (BEP 5).
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/units.h"
#include "engine/core/dht_types.h"

namespace tributary::core::dht {

struct PeerStoreLimits {
  // Peers of all hashes: about 250 bytes each, hence 5 MB.
  std::size_t peers = 20'000;
  // Peers of one hash. An answer holds 40 of them; more only wear out.
  std::size_t per_hash = 500;
  // Announcements of one address: a seed of many torrents meets a node with a few of them only.
  std::size_t per_address = 64;
  // The same for one hash: some listeners behind one router.
  std::size_t per_address_and_hash = 4;
  // Clients announce anew every 15 minutes or so, and may lose one announcement.
  Duration lifetime = std::chrono::minutes(30);
};

// Whoever would exceed the limit of the whole store takes the place of the oldest peer of the hash
// with the most peers: popular swarms lose a little, small ones are not driven out.
//
// Tracks: peers by hash; their expiries; the hashes by size; announcements by address. Invariant:
// every peer has exactly one expiry and counts once for its address.
class PeerStore {
 public:
  explicit PeerStore(const PeerStoreLimits& limits = {});

  // Keeps or renews it. False when its address holds too many already, or the port is 0.
  bool announce(const NodeId& info_hash, const Endpoint& peer, TimePoint now);
  // Up to `most` of the hash's peers, a random choice.
  std::vector<Endpoint> peers(const NodeId& info_hash, std::size_t most, Random& random) const;
  // Forgets who fell silent; announce() does so first.
  void expire(TimePoint now);
  // When the next one expires; kNever without any.
  TimePoint next_expiry() const;

  std::size_t peer_count() const { return expiries_.size(); }
  std::size_t hash_count() const { return swarms_.size(); }
  std::size_t peer_count(const NodeId& info_hash) const;

 private:
  struct Peer {
    Endpoint endpoint;
    TimePoint expires_at;
  };
  using Swarm = std::vector<Peer>;
  using Expiry = std::tuple<TimePoint, NodeId, Endpoint>;

  bool has_room(const NodeId& info_hash, const Swarm* swarm, const Endpoint& peer);
  void evict_from(NodeId info_hash);  // by value: what names it may go with the peer
  void add(const NodeId& info_hash, const Endpoint& peer, TimePoint expires_at);
  void remove(const NodeId& info_hash, const Endpoint& peer);

  PeerStoreLimits limits_;
  std::map<NodeId, Swarm> swarms_;
  std::set<Expiry> expiries_;
  std::set<std::pair<std::size_t, NodeId>> by_size_;
  std::map<Endpoint, std::size_t> by_address_;  // the port is 0
};

}  // namespace tributary::core::dht
