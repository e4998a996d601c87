#include "engine/core/dht_lookup.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/core/dht_node_id.h"

namespace tributary::core::dht {

Lookup::Lookup(const NodeId& target, const NodeId& own_id, const LookupLimits& limits)
    : target_(target), own_id_(own_id), limits_(limits) {
  TRIBUTARY_CHECK(limits.paths > 0);
}

void Lookup::add_start(const Contact& node, bool known_id) {
  if (acceptable(node, known_id)) add(node, 1, starts_++ % limits_.paths, known_id);
}

std::optional<Contact> Lookup::next() {
  const std::size_t beside = std::min(slow_, limits_.in_flight);
  if (in_flight_ - beside >= limits_.in_flight) return std::nullopt;
  const std::size_t at = next_index();
  if (at == candidates_.size()) return std::nullopt;
  candidates_[at].state = State::kAsked;
  ++in_flight_;
  ++progress_.asked;
  return candidates_[at].node;
}

void Lookup::on_reply(const Endpoint& from, const Reply& reply) {
  const std::size_t at = find(from);
  if (at == candidates_.size() || candidates_[at].state != State::kAsked) return;
  Candidate answered = candidates_[at];
  if (answered.known_id && answered.node.id != reply.id) return on_failure(from);
  if (!answered.known_id) {
    answered.node.id = reply.id;
    answered.distance = distance(reply.id, target_);
    answered.known_id = true;
  }
  settle(answered, State::kAnswered);
  answered.token = reply.token;
  ++progress_.answered;
  progress_.hops = std::max(progress_.hops, answered.hop);
  progress_.shared_bits = std::max(progress_.shared_bits, shared_bits(reply.id, target_));
  const int hop = answered.hop + 1;
  const std::size_t path = answered.path;
  candidates_.erase(candidates_.begin() + static_cast<std::ptrdiff_t>(at));
  insert(std::move(answered));
  add_peers(reply.peers);
  std::size_t named = 0;
  for (const Contact& node : reply.nodes) {
    const bool believable = !limits_.secure_ids || is_secure(node.id, node.endpoint);
    if (!believable || !acceptable(node, true)) continue;
    // With less to begin with than there are paths, they part at the second step.
    const bool parts = hop == 2 && starts_ < limits_.paths;
    add(node, hop, parts ? named++ % limits_.paths : path, true);
  }
}

void Lookup::on_failure(const Endpoint& from) {
  const std::size_t at = find(from);
  if (at == candidates_.size() || candidates_[at].state != State::kAsked) return;
  settle(candidates_[at], State::kFailed);
  ++progress_.failed;
}

void Lookup::on_slow(const Endpoint& from) {
  const std::size_t at = find(from);
  if (at == candidates_.size() || candidates_[at].state != State::kAsked) return;
  if (!candidates_[at].slow) ++slow_;
  candidates_[at].slow = true;
}

void Lookup::settle(Candidate& candidate, State outcome) {
  candidate.state = outcome;
  --in_flight_;
  if (candidate.slow) --slow_;
  candidate.slow = false;
}

int Lookup::hop_of(const Endpoint& node) const {
  const std::size_t at = find(node);
  return at == candidates_.size() ? 0 : candidates_[at].hop;
}

bool Lookup::done() const { return in_flight_ == 0 && next_index() == candidates_.size(); }

std::vector<Lookup::Holder> Lookup::holders() const {
  std::vector<Holder> out;
  for (const Candidate& candidate : candidates_) {
    if (out.size() == limits_.closest) break;
    if (candidate.state == State::kAnswered) {
      out.push_back({candidate.node, candidate.token, candidate.hop});
    }
  }
  return out;
}

void Lookup::add(const Contact& node, int hop, std::size_t path, bool known_id) {
  insert({distance(node.id, target_), node, State::kNew, known_id, false, hop, path, {}});
}

bool Lookup::acceptable(const Contact& node, bool known_id) const {
  if (node.endpoint.port == 0 || (known_id && node.id == own_id_)) return false;
  std::size_t neighbours = 0;
  for (const Candidate& other : candidates_) {
    if (other.node.endpoint == node.endpoint) return false;
    if (known_id && other.known_id && other.node.id == node.id) return false;
    neighbours += same_subnet(other.node.endpoint, node.endpoint) ? 1 : 0;
  }
  return node.endpoint.is_local() || neighbours < limits_.per_subnet;
}

// Above the limit the farthest that is not asked at present goes.
void Lookup::insert(Candidate candidate) {
  const auto place =
      std::upper_bound(candidates_.begin(), candidates_.end(), candidate.distance,
                       [](const NodeId& d, const Candidate& other) { return d < other.distance; });
  candidates_.insert(place, std::move(candidate));
  if (candidates_.size() <= limits_.candidates) return;
  const auto farthest =
      std::find_if(candidates_.rbegin(), candidates_.rend(),
                   [](const Candidate& other) { return other.state != State::kAsked; });
  if (farthest != candidates_.rend()) candidates_.erase(std::next(farthest).base());
}

void Lookup::add_peers(const std::vector<Endpoint>& peers) {
  for (const Endpoint& peer : peers) {
    if (peers_.size() == limits_.peers) return;
    if (std::find(peers_.begin(), peers_.end(), peer) == peers_.end()) peers_.push_back(peer);
  }
}

std::size_t Lookup::find(const Endpoint& from) const {
  const auto found =
      std::find_if(candidates_.begin(), candidates_.end(),
                   [&](const Candidate& candidate) { return candidate.node.endpoint == from; });
  return static_cast<std::size_t>(found - candidates_.begin());
}

// The closest that was not asked, unless enough closer ones have answered already, of all and of
// its path.
std::size_t Lookup::next_index() const {
  if (progress_.asked >= limits_.queries) return candidates_.size();
  std::size_t answered = 0;
  std::vector<std::size_t> of_path(limits_.paths, 0);
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    const Candidate& candidate = candidates_[i];
    if (candidate.state == State::kAnswered) {
      ++answered;
      ++of_path[candidate.path];
    } else if (candidate.state == State::kNew &&
               (answered < limits_.closest || of_path[candidate.path] < limits_.per_path)) {
      return i;
    }
  }
  return candidates_.size();
}

}  // namespace tributary::core::dht
