// One node of the mainline DHT (BEP 5, 32, 42, 43) of one address family. A deterministic machine
// without I/O: feed datagrams, drain poll(), call tick() at next_deadline(). Two of them, paired,
// serve both families. Hosts are engine/net/dht_socket.h and the simulator's engine/sim/dht_net.h.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "engine/core/dht_limiter.h"
#include "engine/core/dht_lookup.h"
#include "engine/core/dht_own_address.h"
#include "engine/core/dht_peer_store.h"
#include "engine/core/dht_pending.h"
#include "engine/core/dht_routing_table.h"

namespace tributary::core::dht {

struct NodeLimits {
  // After it a query counts as unanswered. Twice the round trip across the world over a full queue.
  Duration query_timeout = 2s;
  // After it a search asks another node beside: most round trips are shorter.
  Duration slow_after = 400ms;
  // Between two pings of strangers or questionable nodes: upkeep must not be felt.
  Duration ping_interval = 200ms;
  // Strangers that wait to be pinged; further ones will ask again.
  std::size_t strangers = 32;
  // Between attempts to join, doubled with each in vain.
  Duration first_join_retry = 5s;
  Duration max_join_retry = std::chrono::minutes(5);
  // Hosts to join through.
  std::size_t bootstrap = 32;
  // Peers of one answer: with nodes of both families it fits a datagram of 1,500 bytes.
  std::size_t peers_in_answer = 40;
};

struct NodeParams {
  bool v4 = true;
  // The id of the last time; a new one without.
  std::optional<NodeId> id;
  SecretKey key{};                // of the host's secure random bytes
  Sha1Function digest = nullptr;  // must be set
  // Asks, but answers nobody and is in nobody's table: for a client that is gone soon, or cannot be
  // reached (BEP 43).
  bool read_only = false;
  // Joins, keeps the table fresh and pings strangers by itself. False: only searches when told, as
  // a command does that looks one hash up.
  bool upkeep = true;
  NodeLimits limits;
  RoutingLimits table;
  LookupLimits lookup;
  PeerStoreLimits peers;
  AnswerLimits answers;
};

// Actions ---------------------------------------------------------------------------------------

struct SendDatagram {
  Endpoint to;
  Message message;
};
// A search asked a node, and this is what came of it.
struct LookupStep {
  LookupId lookup;
  Contact node;           // the id is the target's if it is not known
  int hop = 0;            // of the chain of referrals that led there
  bool answered = false;  // and under the id it was named by
  Duration took{};        // until the answer, or the time-out
  int shared_bits = 0;    // of the node's id and the target
  std::size_t nodes = 0;  // it named
  std::size_t peers = 0;
};
// Peers that were not found by this search before.
struct PeersFound {
  LookupId lookup;
  std::vector<Endpoint> peers;
};
// The search is over, its announcements included. At most once for each.
struct LookupDone {
  LookupId lookup;
  LookupProgress progress;
  std::vector<Lookup::Holder> closest;  // that answered, the closest first
  std::size_t peers = 0;                // found
  std::size_t announced = 0;            // nodes that took the announcement
};
// Nodes of the other family, for its node's suggest().
struct OtherFamily {
  std::vector<Contact> nodes;
};
// The own neighbourhood was searched and somebody answered: searches find their way from now on.
struct Joined {};

using Action = std::variant<SendDatagram, LookupStep, PeersFound, LookupDone, OtherFamily, Joined>;

struct NodeStats {
  std::int64_t queries = 0;    // received
  std::int64_t answers = 0;    // sent
  std::int64_t refused = 0;    // queries above the limits
  std::int64_t asked = 0;      // queries sent
  std::int64_t answered = 0;   // of them
  std::int64_t timeouts = 0;   // of them
  std::int64_t unmatched = 0;  // answers that nobody waits for: late, or forged
};

// Tracks: the table; searches under way, the user's and those of the upkeep (one for the own id to
// join, one at a time for buckets without change); queries that wait for an answer; announced
// peers; strangers to be pinged. Invariants: every query of a search is reported to it once; a node
// enters the table only by an answer from the address that was asked.
class Node {
 public:
  Node(const NodeParams& params, TimePoint now);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Answers of both families when asked for (BEP 32), and questions for both. The other must
  // outlive this one; null ends it.
  void pair_with(const Node* other) { other_ = other; }
  // Hosts to join through: asked while the table is empty or nearly so. Those above the limit, of
  // the other family or without a port, and repeated ones, are left out.
  void bootstrap(const std::vector<Endpoint>& hosts, TimePoint now);
  // What save() gave, `away` ago.
  void restore(const std::vector<SavedContact>& saved, Duration away, TimePoint now);
  std::vector<SavedContact> save(TimePoint now) const { return table_.save(now); }

  // A datagram arrived.
  void handle(const Endpoint& from, const Message& message, TimePoint now);
  // Nodes of this family that are said to exist; pinged in good time.
  void suggest(const std::vector<Contact>& nodes, TimePoint now);
  void tick(TimePoint now);
  std::optional<Action> poll();
  TimePoint next_deadline() const;  // kNever: none

  // Searches. Each ends in LookupDone, at once where nobody is known. Ids are never reused.
  LookupId find_peers(const NodeId& info_hash, TimePoint now);
  // Finds peers, then tells the closest nodes that we are one. Port 0: the datagram's port, as
  // routers may change it. Nodes forget it after 30 minutes: announce every 15.
  LookupId announce(const NodeId& info_hash, std::uint16_t port, TimePoint now);
  LookupId find_nodes(const NodeId& target, TimePoint now);
  // No LookupDone follows.
  void cancel(LookupId lookup, TimePoint now);

  // Views.
  const NodeId& id() const { return table_.own_id(); }
  const RoutingTable& table() const { return table_; }
  const PeerStore& peer_store() const { return peers_; }
  const NodeStats& stats() const { return stats_; }
  const std::optional<Endpoint>& own_address() const { return own_address_.address(); }
  // The own neighbourhood was searched, and somebody answered.
  bool joined() const { return joined_; }
  bool is_v4() const { return params_.v4; }

 private:
  enum class Kind : std::uint8_t { kUser, kJoin, kRefresh };
  struct Search {
    Kind kind;
    Method method;
    Lookup lookup;
    bool announce = false;
    std::uint16_t port = 0;
    bool looking = true;
    bool through_hosts = false;  // the hosts to join through were asked
    std::size_t waiting = 0;     // announcements that are not answered
    std::size_t announced = 0;   // that are
  };

  // dht_answers.cpp: what others ask.
  void on(const Endpoint& from, const std::string& transaction, const Query& query);
  std::variant<Reply, ErrorReply> answer(const Endpoint& from, const Query& query);
  std::variant<Reply, ErrorReply> accept_announce(const Endpoint& from, const Query& query);
  std::vector<Contact> nodes_for(const Query& query) const;

  // What we ask.
  void on(const Endpoint& from, const Message& message, const Reply& reply);
  void on_timeout(const PendingQuery& query);
  void on_failure(const PendingQuery& query);
  void on_step(const PendingQuery& query, const Reply* reply);
  void on_announced(LookupId lookup, bool accepted);
  void learn(const Endpoint& from, const Message& message, const NodeId& id);
  Reply take_other_family(const Endpoint& from, Reply reply);
  void ask(const Contact& node, Purpose purpose, LookupId lookup, Query query);
  Search search_for_peers(const NodeId& info_hash);
  LookupId start(Search search);
  void report_peers(LookupId id, const Lookup& lookup, std::size_t first);
  void add_hosts(Search& search) const;
  void advance(LookupId id);
  void end_looking(LookupId id, Search& search);
  void finish(LookupId id);
  void join_later();
  void add_stranger(const Contact& node);

  void settle();
  void expire_queries();
  void pass_slow_queries();
  void join_if_due();
  void refresh_if_due();
  void ping_if_due();
  TimePoint ping_deadline() const;
  TimePoint refresh_deadline() const;

  NodeParams params_;
  Secrets secrets_;
  Random random_;
  RoutingTable table_;
  PeerStore peers_;
  AnswerLimiter limiter_;
  OwnAddress own_address_;
  PendingQueries pending_;
  const Node* other_ = nullptr;
  std::map<LookupId, Search> searches_;
  std::vector<Endpoint> bootstrap_;
  std::deque<Contact> strangers_;
  std::deque<Action> out_;
  NodeStats stats_;
  TimePoint now_{};
  TimePoint join_at_ = kNever;
  Duration join_retry_;
  TimePoint next_ping_ = TimePoint::min();
  TimePoint check_at_ = kNever;  // somebody waits for a place in the table
  std::uint64_t next_lookup_ = 0;
  bool joining_ = false;
  bool joined_ = false;
  bool refreshing_ = false;
};

}  // namespace tributary::core::dht
