#include "engine/core/dht_peer_store.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::core::dht {
namespace {

Endpoint address_of(const Endpoint& endpoint) {
  Endpoint out = endpoint;
  out.port = 0;
  return out;
}

}  // namespace

PeerStore::PeerStore(const PeerStoreLimits& limits) : limits_(limits) {
  TRIBUTARY_CHECK(limits.peers > 0 && limits.per_hash > 0);
}

bool PeerStore::announce(const NodeId& info_hash, const Endpoint& peer, TimePoint now) {
  expire(now);
  if (peer.port == 0) return false;
  const auto found = swarms_.find(info_hash);
  Swarm* swarm = found == swarms_.end() ? nullptr : &found->second;
  if (swarm != nullptr) {
    const auto known = std::find_if(swarm->begin(), swarm->end(),
                                    [&](const Peer& each) { return each.endpoint == peer; });
    if (known != swarm->end()) {
      expiries_.erase({known->expires_at, info_hash, peer});
      known->expires_at = now + limits_.lifetime;
      expiries_.emplace(known->expires_at, info_hash, peer);
      return true;
    }
  }
  if (!has_room(info_hash, swarm, peer)) return false;
  add(info_hash, peer, now + limits_.lifetime);
  return true;
}

// Makes room by evicting, except for an address that has its share.
bool PeerStore::has_room(const NodeId& info_hash, const Swarm* swarm, const Endpoint& peer) {
  const Endpoint address = address_of(peer);
  const auto held = by_address_.find(address);
  if (held != by_address_.end() && held->second >= limits_.per_address) return false;
  if (swarm != nullptr) {
    const auto same = std::count_if(swarm->begin(), swarm->end(), [&](const Peer& each) {
      return address_of(each.endpoint) == address;
    });
    if (static_cast<std::size_t>(same) >= limits_.per_address_and_hash) return false;
    if (swarm->size() >= limits_.per_hash) {
      evict_from(info_hash);
      return true;
    }
  }
  if (expiries_.size() >= limits_.peers) evict_from(by_size_.rbegin()->second);
  return true;
}

void PeerStore::evict_from(NodeId info_hash) {
  const Swarm& swarm = swarms_.at(info_hash);
  const auto oldest =
      std::min_element(swarm.begin(), swarm.end(),
                       [](const Peer& a, const Peer& b) { return a.expires_at < b.expires_at; });
  remove(info_hash, Endpoint(oldest->endpoint));
}

void PeerStore::add(const NodeId& info_hash, const Endpoint& peer, TimePoint expires_at) {
  Swarm& swarm = swarms_[info_hash];
  by_size_.erase({swarm.size(), info_hash});
  swarm.push_back({peer, expires_at});
  by_size_.emplace(swarm.size(), info_hash);
  expiries_.emplace(expires_at, info_hash, peer);
  ++by_address_[address_of(peer)];
}

void PeerStore::remove(const NodeId& info_hash, const Endpoint& peer) {
  const auto found = swarms_.find(info_hash);
  Swarm& swarm = found->second;
  const auto gone = std::find_if(swarm.begin(), swarm.end(),
                                 [&](const Peer& each) { return each.endpoint == peer; });
  TRIBUTARY_CHECK(gone != swarm.end());
  expiries_.erase({gone->expires_at, info_hash, peer});
  by_size_.erase({swarm.size(), info_hash});
  swarm.erase(gone);
  if (swarm.empty()) {
    swarms_.erase(found);
  } else {
    by_size_.emplace(swarm.size(), info_hash);
  }
  const auto held = by_address_.find(address_of(peer));
  if (--held->second == 0) by_address_.erase(held);
}

std::vector<Endpoint> PeerStore::peers(const NodeId& info_hash, std::size_t most,
                                       Random& random) const {
  std::vector<Endpoint> out;
  const auto found = swarms_.find(info_hash);
  if (found == swarms_.end()) return out;
  for (const Peer& peer : found->second) out.push_back(peer.endpoint);
  const std::size_t count = std::min(most, out.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(out[i], out[i + random.below(out.size() - i)]);
  }
  out.resize(count);
  return out;
}

void PeerStore::expire(TimePoint now) {
  while (!expiries_.empty() && std::get<0>(*expiries_.begin()) <= now) {
    const Expiry due = *expiries_.begin();
    remove(std::get<1>(due), std::get<2>(due));
  }
}

TimePoint PeerStore::next_expiry() const {
  return expiries_.empty() ? kNever : std::get<0>(*expiries_.begin());
}

std::size_t PeerStore::peer_count(const NodeId& info_hash) const {
  const auto found = swarms_.find(info_hash);
  return found == swarms_.end() ? 0 : found->second.size();
}

}  // namespace tributary::core::dht
