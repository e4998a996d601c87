#include "engine/core/dht_own_address.h"

#include <algorithm>

#include "engine/core/dht_node_id.h"

namespace tributary::core::dht {

bool OwnAddress::vote(const Endpoint& voter, const Endpoint& seen) {
  if (voter.is_local() || seen.is_local() || voter.is_v4() != seen.is_v4()) return false;
  std::erase_if(votes_,
                [&](const Vote& vote) { return vote.voter && same_subnet(*vote.voter, voter); });
  return count(voter, seen);
}

bool OwnAddress::vote_of_trackers(const Endpoint& seen) {
  if (seen.is_local()) return false;
  std::erase_if(votes_, [](const Vote& vote) { return !vote.voter; });
  return count(std::nullopt, seen);
}

bool OwnAddress::count(const std::optional<Endpoint>& voter, const Endpoint& seen) {
  Endpoint at = seen;
  at.port = 0;
  votes_.push_back({voter, at});
  if (votes_.size() > kVotes) votes_.pop_front();
  const auto agree = static_cast<std::size_t>(std::count_if(
      votes_.begin(), votes_.end(), [&](const Vote& vote) { return vote.seen == at; }));
  if (agree < kNeeded || agree * 2 <= votes_.size() || address_ == at) return false;
  address_ = at;
  return true;
}

}  // namespace tributary::core::dht
