// The nodes that a node knows, in buckets by distance (BEP 5, "Routing Table"; Maymounkov and
// Mazières: "Kademlia", 2002).
#pragma once

#include <vector>

#include "engine/base/random.h"
#include "engine/base/units.h"
#include "engine/core/dht_node_id.h"

namespace tributary::core::dht {

struct RoutingLimits {
  // Nodes of a bucket: k of BEP 5.
  std::size_t bucket = kBucketSize;
  // Nodes that wait for a place in a full bucket: as many as could fail at once.
  std::size_t waiting = kBucketSize;
  // Nodes of one IPv4 /24 or IPv6 /64 in a bucket and in the table, local addresses exempt: who
  // owns a network must not own the table.
  std::size_t per_subnet_in_bucket = 2;
  std::size_t per_subnet = 8;
  // A node that was silent for so long has to be asked again (BEP 5).
  Duration questionable_after = std::chrono::minutes(15);
  // A bucket in which nothing changed for so long is searched for nodes (BEP 5).
  Duration refresh_after = std::chrono::minutes(15);
  // Queries in a row without an answer that make a node bad: datagrams get lost.
  int failures = 2;
  // A questionable node that was pinged is left alone for so long.
  Duration check_again = 10s;
};

enum class NodeState : std::uint8_t { kGood, kQuestionable, kBad };

// A node for the time after a restart.
struct SavedContact {
  Contact contact;
  Duration silent{};  // since its last answer, when it was saved
  friend bool operator==(const SavedContact&, const SavedContact&) = default;
};

// Holds nodes that have answered only: whoever has not might be anywhere, or nobody.
//
// Tracks: bucket i holds the nodes that share exactly i leading bits with the own id, the last
// bucket those that share more; only the last one splits when full. Invariants: one entry for each
// id and each endpoint; no bucket above the limits; at most kIdBits buckets, hence bounded memory.
class RoutingTable {
 public:
  // REQUIRES: limits.bucket > 0 and limits.failures > 0.
  explicit RoutingTable(const NodeId& own_id, const RoutingLimits& limits = {});

  // The node answered a query of ours. In a full bucket it takes the place of a bad node, or of one
  // whose id does not fit its address (BEP 42) if its own does; else it waits. An id that is known
  // under another address stays where it is until it is bad. Returns whether the node is in a
  // bucket.
  bool on_answer(const Contact& node, TimePoint now);
  // The node asked us something: that keeps a known one good (BEP 5), and does nothing for others.
  void on_query(const Contact& node, TimePoint now);
  // It did not answer. A bad node gives its place to the youngest that waits; without one it stays,
  // for the fault may be ours.
  void on_failure(const Contact& node, TimePoint now);

  // Whether an answer of this unknown node would be of use: it would be taken in, or could wait.
  bool wants(const Contact& node, TimePoint now) const;
  // The questionable node longest silent in a bucket for which others wait: to be pinged, so that
  // it is good again or makes room.
  std::optional<Contact> to_check(TimePoint now) const;
  // Remembers that to_check's node was asked, so that it is not named again at once.
  void on_check(const Contact& node, TimePoint now);

  // Up to `count` nodes closest to the target, the closest first, bad ones left out.
  std::vector<Contact> closest(const NodeId& target, std::size_t count, TimePoint now) const;

  // When a bucket falls due for a refresh; kNever while the table is empty.
  TimePoint next_refresh() const;
  // A random id in the range of a bucket that is due, which then counts as refreshed; nothing when
  // none is.
  std::optional<NodeId> take_refresh(TimePoint now, Random& random);
  // Makes all buckets due: after the own neighbourhood was searched for the first time.
  void refresh_all();

  // Sorts everything anew around another own id.
  void set_own_id(const NodeId& own_id, TimePoint now);
  const NodeId& own_id() const { return own_id_; }

  // What is not bad, the buckets nearest to the own id last. For a file.
  std::vector<SavedContact> save(TimePoint now) const;
  // Takes saved nodes in where there is room; those silent for long are questionable. `away` passed
  // since they were saved.
  void restore(const std::vector<SavedContact>& saved, Duration away, TimePoint now);

  std::size_t size() const { return size_; }  // nodes in buckets
  std::size_t good(TimePoint now) const;
  std::size_t bucket_count() const { return buckets_.size(); }
  // Unknown nodes are bad.
  NodeState state_of(const NodeId& id, TimePoint now) const;
  // Checks the invariants. For tests and debug builds: a pass over all.
  void check() const;

 private:
  struct Entry {
    Contact node;
    TimePoint answered{};                  // last
    TimePoint heard{};                     // last answer or query
    TimePoint checked = TimePoint::min();  // last pinged for being questionable
    std::uint8_t failures = 0;
    bool secure = false;
  };
  struct Bucket {
    std::vector<Entry> nodes;
    std::vector<Entry> waiting;  // the youngest last
    TimePoint changed{};
  };

  static Entry entry_of(const Contact& node, TimePoint answered);
  std::size_t index_of(const NodeId& id) const;
  NodeState state(const Entry& entry, TimePoint now) const;
  bool crowded(const Bucket& bucket, const Endpoint& endpoint) const;
  bool place(const Entry& entry, TimePoint now);
  void put(Bucket& bucket, const Entry& entry);
  void replace(Bucket& bucket, std::size_t at, const Entry& entry);
  std::size_t bad_one(const Bucket& bucket, TimePoint now) const;
  void wait(Bucket& bucket, const Entry& entry) const;
  void split();
  void promote(Bucket& bucket, TimePoint now);
  void forget(const Endpoint& endpoint, TimePoint now);
  const Entry* find(const NodeId& id) const;
  Entry* find(const NodeId& id);
  void append_closest(const std::vector<const Entry*>& from, const NodeId& target,
                      std::size_t count, std::vector<Contact>& out) const;

  NodeId own_id_;
  RoutingLimits limits_;
  std::vector<Bucket> buckets_;
  std::size_t size_ = 0;
};

}  // namespace tributary::core::dht
