#include "engine/wire/tracker_state.h"

#include <algorithm>
#include <iterator>
#include <numeric>
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
  TrackerAnswer answer{{}, options_.interval, options_.min_interval, {}};
  if (const Swarm* swarm = update(query, who, now)) {
    answer.counts = counts_of(*swarm);
    answer.peers = draw(*swarm, query, who, only);
  }
  return answer;
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
  while (!peers_.empty() && peers_.front().expires_at <= now) remove(peers_.begin());
}

SwarmCounts TrackerState::counts(const InfoHash& info_hash) const {
  const auto found = swarms_.find(info_hash);
  return found == swarms_.end() ? SwarmCounts{} : counts_of(found->second);
}

SwarmCounts TrackerState::counts_of(const Swarm& swarm) {
  return {swarm.seeds, std::ssize(swarm.list) - swarm.seeds, swarm.downloaded};
}

// At the limit a swarm without peers makes room.
TrackerState::Swarm* TrackerState::add_swarm(const InfoHash& info_hash) {
  if (swarms_.size() >= options_.max_swarms) {
    if (idle_.empty()) return nullptr;
    swarms_.erase(*idle_.begin());
    idle_.erase(idle_.begin());
  }
  return &swarms_.emplace(info_hash, info_hash).first->second;
}

TrackerState::Swarm* TrackerState::update(const AnnounceQuery& query, const Endpoint& who,
                                          TimePoint now) {
  const bool leaves = query.event == core::AnnounceEvent::kStopped || who.port == 0;
  const auto found = swarms_.find(query.info_hash);
  Swarm* swarm = found == swarms_.end() ? nullptr : &found->second;
  if (swarm != nullptr) {
    const auto known = swarm->by_endpoint.find(who);
    if (known != swarm->by_endpoint.end()) {
      leaves ? remove(known->second) : refresh(known->second, query, now);
      return swarm;
    }
  }
  if (leaves || peers_.size() >= options_.max_peers) return swarm;
  if (swarm == nullptr) swarm = add_swarm(query.info_hash);
  if (swarm != nullptr) add(*swarm, query, who, now);
  return swarm;
}

void TrackerState::add(Swarm& swarm, const AnnounceQuery& query, const Endpoint& who,
                       TimePoint now) {
  if (swarm.list.empty()) idle_.erase(swarm.info_hash);
  const bool seed = query.left == 0_B;
  const TimePoint expires_at = now + options_.peer_lifetime;
  peers_.push_back({&swarm, who, query.peer_id, seed, expires_at, swarm.list.size()});
  const Peers::iterator peer = std::prev(peers_.end());
  swarm.by_endpoint.emplace(who, peer);
  swarm.list.push_back(peer);
  swarm.seeds += seed ? 1 : 0;
}

void TrackerState::refresh(Peers::iterator peer, const AnnounceQuery& query, TimePoint now) {
  Swarm& swarm = *peer->swarm;
  const bool seed = query.left == 0_B;
  // Counted once: a peer that was not seen as a leecher before completes nothing here.
  if (query.event == core::AnnounceEvent::kCompleted && !peer->seed) ++swarm.downloaded;
  swarm.seeds += (seed ? 1 : 0) - (peer->seed ? 1 : 0);
  peer->id = query.peer_id;
  peer->seed = seed;
  peer->expires_at = now + options_.peer_lifetime;
  peers_.splice(peers_.end(), peers_, peer);
}

void TrackerState::remove(Peers::iterator peer) {
  Swarm& from = *peer->swarm;
  from.by_endpoint.erase(peer->endpoint);
  from.seeds -= peer->seed ? 1 : 0;
  from.list.back()->position = peer->position;
  from.list[peer->position] = from.list.back();
  from.list.pop_back();
  if (from.list.empty()) idle_.insert(from.info_hash);
  peers_.erase(peer);
}

// A random sample: from a random place on in steps of a random width, which meets nobody twice
// where the width and the number of peers have no common divisor.
std::vector<TrackedPeer> TrackerState::draw(const Swarm& swarm, const AnnounceQuery& query,
                                            const Endpoint& who,
                                            std::optional<AddressFamily> only) {
  std::vector<TrackedPeer> out;
  const std::size_t count = swarm.list.size();
  if (count == 0 || query.event == core::AnnounceEvent::kStopped) return out;
  // Who begins with a magnet link does not know what is left, and aria2 says nothing.
  const bool leeches = query.left > 0_B || query.event == core::AnnounceEvent::kStarted;
  const auto want = static_cast<std::size_t>(
      std::clamp<std::int32_t>(query.want, 0, options_.max_peers_per_answer));
  const std::size_t draws = std::min(count, want * kDrawsPerPeer);
  out.reserve(std::min(count, want));
  std::size_t place = random_.below(count);
  std::size_t width = 1 + random_.below(count);
  while (std::gcd(width, count) != 1) width = 1 + random_.below(count);
  for (std::size_t i = 0; i < draws && out.size() < want; ++i, place = (place + width) % count) {
    const Peer& peer = *swarm.list[place];
    const bool self = peer.endpoint == who || peer.id == query.peer_id;
    const bool useless = peer.seed && !leeches;
    const bool fits = !only || family_of(peer.endpoint) == *only;
    if (!self && !useless && fits) out.push_back({peer.endpoint, peer.id});
  }
  return out;
}

}  // namespace tributary::wire
