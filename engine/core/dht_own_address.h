// The address that the world sees us at, by vote of those whom we talk to (BEP 10, 24, 42).
#pragma once

#include <deque>
#include <optional>

#include "engine/base/endpoint.h"

namespace tributary::core::dht {

// Tracks: the last votes, one for each network that voted, and one for the trackers. Votes of and
// for local addresses do not count: nobody outside could check an id against them.
class OwnAddress {
 public:
  // Votes kept: a new address wins after at most half as many.
  static constexpr std::size_t kVotes = 16;
  // Votes for one address before it counts: more liars than a bucket holds of one network.
  static constexpr std::size_t kNeeded = 5;

  // `voter` saw us at `seen`. True when the address is another one thereby.
  bool vote(const Endpoint& voter, const Endpoint& seen);
  // The same of a tracker. A torrent's author names all its trackers, so together they have one
  // vote: what the last of them says.
  bool vote_of_trackers(const Endpoint& seen);
  // Its port is 0. Nothing until enough agree.
  const std::optional<Endpoint>& address() const { return address_; }

 private:
  struct Vote {
    std::optional<Endpoint> voter;  // none: the trackers
    Endpoint seen;
  };
  bool count(const std::optional<Endpoint>& voter, const Endpoint& seen);

  std::deque<Vote> votes_;  // the oldest first
  std::optional<Endpoint> address_;
};

}  // namespace tributary::core::dht
