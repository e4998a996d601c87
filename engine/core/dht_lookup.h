// One iterative search for the nodes closest to a target, and for peers on the way (BEP 5).
#pragma once

#include <vector>

#include "engine/core/dht_types.h"

namespace tributary::core::dht {

struct LookupLimits {
  // Queries on the way at once; alpha = 3 in the Kademlia paper, one more against slow nodes.
  std::size_t in_flight = 4;
  // Answers wanted from the closest nodes before the search is over: k.
  std::size_t closest = kBucketSize;
  // Ways to the target that stay apart, each from nodes of its own to begin with, and the answers
  // wanted from the closest of each (Baumgart and Mies: "S/Kademlia", 2007). A liar that names its
  // fellows near the target ends one way and not the search: with 10 liars in 100 nodes, 953
  // searches of 1,000 succeed on one way for 24 queries each, all on two for 36.
  std::size_t paths = 2;
  std::size_t per_path = 4;
  // Nodes remembered, the closest; the others are forgotten, so that lies cannot fill the memory.
  std::size_t candidates = 128;
  // Queries of one search. An honest network of ten million takes about 40.
  std::size_t queries = 256;
  // Peers kept.
  std::size_t peers = 1000;
  // Nodes accepted from one IPv4 /24 or IPv6 /64, local addresses exempt: a liar holds many
  // addresses of one network more easily than of many.
  std::size_t per_subnet = 2;
  // Leave out nodes that answers name under ids that do not fit their addresses (BEP 42). Those to
  // begin with are known to exist.
  bool secure_ids = true;
};

struct LookupProgress {
  std::size_t asked = 0;
  std::size_t answered = 0;
  std::size_t failed = 0;
  int hops = 0;         // the longest chain of referrals among the nodes that answered
  int shared_bits = 0;  // of the target and the closest node that answered
};

// Pure: the owner sends what next() names and reports each outcome once. Tracks every candidate in
// the order of its distance. Invariants: one candidate for each address; outcomes from a node that
// was not asked, or under another id than the one it was named by, count as failures.
class Lookup {
 public:
  struct Holder {
    Contact node;
    std::string token;
    int hop = 0;  // of the chain of referrals that led there, 1 for a node to begin with
  };

  Lookup(const NodeId& target, const NodeId& own_id, const LookupLimits& limits = {});

  // Nodes to begin with. Bootstrap hosts have no known id: give the target's, `known_id` false.
  void add_start(const Contact& node, bool known_id = true);
  // Peers known from elsewhere, so that no answer names them anew.
  void add_peers(const std::vector<Endpoint>& peers);
  // The next node to ask; nothing while enough are asked already, or when none is left.
  std::optional<Contact> next();
  void on_reply(const Endpoint& from, const Reply& reply);
  // It has not answered for long, but still may: another is asked beside it, up to as many again as
  // are asked at once.
  void on_slow(const Endpoint& from);
  // Timed out, or answered with an error.
  void on_failure(const Endpoint& from);

  // As in Holder; 0 for a node that is unknown or forgotten.
  int hop_of(const Endpoint& node) const;
  // Nothing is on the way and nothing is worth asking.
  bool done() const;
  const NodeId& target() const { return target_; }
  const LookupProgress& progress() const { return progress_; }
  // Without duplicates, in the order of arrival.
  const std::vector<Endpoint>& peers() const { return peers_; }
  // The closest that answered, the closest first, at most `closest`; their tokens serve to
  // announce.
  std::vector<Holder> holders() const;

 private:
  enum class State : std::uint8_t { kNew, kAsked, kAnswered, kFailed };
  struct Candidate {
    NodeId distance;
    Contact node;
    State state = State::kNew;
    bool known_id = true;
    bool slow = false;
    int hop = 0;
    std::size_t path = 0;  // of who named it first
    std::string token;
  };

  void add(const Contact& node, int hop, std::size_t path, bool known_id);
  bool acceptable(const Contact& node, bool known_id) const;
  void insert(Candidate candidate);
  std::size_t find(const Endpoint& from) const;
  std::size_t next_index() const;
  void settle(Candidate& candidate, State outcome);

  NodeId target_;
  NodeId own_id_;
  LookupLimits limits_;
  std::vector<Candidate> candidates_;  // by distance
  std::size_t starts_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t slow_ = 0;  // of them
  LookupProgress progress_;
  std::vector<Endpoint> peers_;
};

}  // namespace tributary::core::dht
