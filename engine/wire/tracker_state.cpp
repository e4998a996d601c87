#include "engine/wire/tracker_state.h"

#include <algorithm>
#include <string>

#include "engine/base/check.h"
#include "engine/wire/address.h"
#include "engine/wire/bencode_encoder.h"

namespace tributary::wire {
namespace {

// Draws per peer wanted, so that a swarm of seeds does not make a seed's answer dear.
constexpr std::size_t kDrawsPerPeer = 4;

std::int64_t seconds(Duration d) {
  return std::chrono::duration_cast<std::chrono::seconds>(d).count();
}

OctetBuffer encode_answer(const AnnounceQuery& query, const TrackerAnswer& answer,
                          const Endpoint& remote) {
  const SwarmCounts& n = answer.counts;
  BencodeEncoder out;
  out.begin_dict().key("complete").integer(n.seeds).key("downloaded").integer(n.downloaded);
  out.key("external ip").string(address_octets(remote));
  out.key("incomplete").integer(n.leechers);
  out.key("interval").integer(seconds(answer.interval));
  out.key("min interval").integer(seconds(answer.min_interval));
  if (query.compact) {
    OctetBuffer v4;
    OctetBuffer v6;
    for (const TrackedPeer& peer : answer.peers) {
      append_compact(peer.endpoint.is_v4() ? v4 : v6, peer.endpoint);
    }
    out.key("peers").string(v4);
    if (!v6.empty()) out.key("peers6").string(v6);
    return out.end().take();
  }
  out.key("peers").begin_list();
  for (const TrackedPeer& peer : answer.peers) {
    out.begin_dict().key("ip").string(format_address(peer.endpoint));
    if (!query.no_peer_id) out.key("peer id").string(peer.id.bytes);
    out.key("port").integer(peer.endpoint.port).end();
  }
  return out.end().end().take();
}

}  // namespace

OctetBuffer encode_tracker_failure(std::string_view reason) {
  BencodeEncoder out;
  return out.begin_dict().key("failure reason").string(reason).end().take();
}

TrackerState::TrackerState(const TrackerOptions& options, std::uint64_t seed)
    : options_(options), random_(seed) {
  TRIBUTARY_CHECK(options.max_peers_per_answer >= 0 && options.max_swarms > 0);
}

TrackerAnswer TrackerState::announce(const AnnounceQuery& query, const Endpoint& remote,
                                     TimePoint now, std::optional<AddressFamily> only) {
  expire(now);
  Endpoint who = remote;
  who.port = query.port;
  update(query, who, now);
  return {counts(query.info_hash), options_.interval, options_.min_interval,
          draw(query, who, only)};
}

OctetBuffer TrackerState::handle_announce(std::string_view query, const Endpoint& remote,
                                          TimePoint now) {
  const auto parsed = parse_announce_query(query);
  if (!parsed) return encode_tracker_failure(parsed.error().message);
  return encode_answer(*parsed, announce(*parsed, remote, now), remote);
}

OctetBuffer TrackerState::handle_scrape(std::string_view query, TimePoint now) {
  expire(now);
  auto hashes = parse_scrape_query(query);
  if (!hashes) return encode_tracker_failure(hashes.error().message);
  std::sort(hashes->begin(), hashes->end());
  hashes->erase(std::unique(hashes->begin(), hashes->end()), hashes->end());
  BencodeEncoder out;
  out.begin_dict().key("files").begin_dict();
  for (const InfoHash& hash : *hashes) {
    if (!swarms_.contains(hash)) continue;
    const SwarmCounts n = counts(hash);
    out.key(as_text(hash.bytes)).begin_dict().key("complete").integer(n.seeds);
    out.key("downloaded").integer(n.downloaded).key("incomplete").integer(n.leechers).end();
  }
  return out.end().end().take();
}

void TrackerState::expire(TimePoint now) {
  while (!expiries_.empty() && std::get<TimePoint>(*expiries_.begin()) <= now) {
    const auto [at, hash, who] = *expiries_.begin();
    remove(swarms_.find(hash), who);
  }
}

SwarmCounts TrackerState::counts(const InfoHash& info_hash) const {
  const auto found = swarms_.find(info_hash);
  if (found == swarms_.end()) return {};
  const Swarm& swarm = found->second;
  const auto all = static_cast<std::int64_t>(swarm.peers.size());
  return {swarm.seeds, all - swarm.seeds, swarm.downloaded};
}

// At the limit a swarm without peers makes room; if there is none, the end is returned.
TrackerState::SwarmMap::iterator TrackerState::find_or_add_swarm(const InfoHash& info_hash) {
  const auto found = swarms_.find(info_hash);
  if (found != swarms_.end()) return found;
  if (swarms_.size() >= options_.max_swarms) {
    if (idle_.empty()) return swarms_.end();
    swarms_.erase(*idle_.begin());
    idle_.erase(idle_.begin());
  }
  return swarms_.emplace(info_hash, Swarm{}).first;
}

void TrackerState::update(const AnnounceQuery& query, const Endpoint& who, TimePoint now) {
  const bool leaves = query.event == core::AnnounceEvent::kStopped || who.port == 0;
  const auto known = swarms_.find(query.info_hash);
  const bool listed = known != swarms_.end() && known->second.peers.contains(who);
  const bool was_leecher = listed && !known->second.peers.at(who).seed;
  if (listed) remove(known, who);
  if (leaves || expiries_.size() >= options_.max_peers) return;
  const auto swarm = find_or_add_swarm(query.info_hash);
  if (swarm == swarms_.end()) return;
  Swarm& to = swarm->second;
  const bool seed = query.left == 0_B;
  const TimePoint expires_at = now + options_.peer_lifetime;
  const auto peer =
      to.peers.emplace(who, Peer{query.peer_id, seed, expires_at, to.order.size()}).first;
  to.order.push_back(peer);
  to.seeds += seed ? 1 : 0;
  // Counted once: a peer that was not seen as a leecher before completes nothing here.
  if (query.event == core::AnnounceEvent::kCompleted && was_leecher) ++to.downloaded;
  expiries_.emplace(expires_at, query.info_hash, who);
  idle_.erase(query.info_hash);
}

// REQUIRES: the peer is in the swarm.
void TrackerState::remove(SwarmMap::iterator swarm, const Endpoint& who) {
  TRIBUTARY_CHECK(swarm != swarms_.end());
  Swarm& from = swarm->second;
  const auto peer = from.peers.find(who);
  TRIBUTARY_CHECK(peer != from.peers.end());
  expiries_.erase({peer->second.expires_at, swarm->first, who});
  from.seeds -= peer->second.seed ? 1 : 0;
  from.order.back()->second.position = peer->second.position;
  std::swap(from.order[peer->second.position], from.order.back());
  from.order.pop_back();
  from.peers.erase(peer);
  if (from.peers.empty()) idle_.insert(swarm->first);
}

// A random sample: the first steps of a Fisher-Yates shuffle, left in place.
std::vector<TrackedPeer> TrackerState::draw(const AnnounceQuery& query, const Endpoint& who,
                                            std::optional<AddressFamily> only) {
  std::vector<TrackedPeer> out;
  // Who begins with a magnet link does not know what is left, and aria2 says nothing.
  const bool leeches = query.left > 0_B || query.event == core::AnnounceEvent::kStarted;
  const auto found = swarms_.find(query.info_hash);
  if (found == swarms_.end() || query.event == core::AnnounceEvent::kStopped) return out;
  auto& order = found->second.order;
  const auto want = static_cast<std::size_t>(
      std::clamp<std::int32_t>(query.want, 0, options_.max_peers_per_answer));
  const std::size_t draws = std::min(order.size(), want * kDrawsPerPeer);
  for (std::size_t i = 0; i < draws && out.size() < want; ++i) {
    const std::size_t j = i + static_cast<std::size_t>(random_.below(order.size() - i));
    std::swap(order[i], order[j]);
    order[i]->second.position = i;
    order[j]->second.position = j;
    const auto& [at, peer] = *order[i];
    const bool self = at == who || peer.id == query.peer_id;
    const bool useless = peer.seed && !leeches;
    const bool fits = !only || family_of(at) == *only;
    if (!self && !useless && fits) out.push_back({at, peer.id});
  }
  return out;
}

}  // namespace tributary::wire
