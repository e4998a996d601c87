// A modelled DHT: thousands of dht::Node on virtual time, some of them gone or lying.
//
// Modelled: datagrams with a latency by pair and random loss; nodes that vanish without a word;
// liars. Not modelled: bandwidth, queues, NAT. Every node has an address in a network of its own
// and an id that fits it (BEP 42).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/dht_node.h"
#include "engine/sim/event_queue.h"

namespace tributary::sim {

struct DhtNetParams {
  std::size_t nodes = 1000;  // at most 5,000,000
  std::uint64_t seed = 1;
  // Of the nodes. A liar answers each question either with nodes that do not exist, close to the
  // target under ids that fit their addresses; or with fellow liars; or with nobody. Half of them
  // name peers that do not exist, and all of them drop what is announced to them. Host 0 is honest:
  // it stands for the hosts that everybody joins through.
  int lying_percent = 0;
  // Each node's part of a one-way delay.
  Duration least_delay = 5ms;
  Duration most_delay = 75ms;
  int loss_permille = 5;  // datagrams
  // Of every node; the id and the key are the simulator's choice.
  core::dht::NodeParams node;
};

// What one search came to.
struct DhtSearch {
  bool found = false;  // a peer that was announced
  int hops = 0;        // of the chain of referrals to the first node that named it
  core::dht::LookupProgress progress;
  Duration took{};
  std::vector<core::dht::Contact> closest;  // nodes that answered, the closest first
  std::size_t announced = 0;
};

// Hosts are counted from zero. Same parameters and calls: same results.
class DhtNet {
 public:
  explicit DhtNet(const DhtNetParams& params);

  // One after the other joins through one that is there, `spacing` apart; runs until `settle` after
  // the last has begun. REQUIRES: the parameters' upkeep.
  void join_all(Duration spacing, Duration settle);
  // Instead of joins, which take n log n searches: each node's buckets are filled with nodes drawn
  // at random from all that belong there.
  void fill_tables();

  // So many in a hundred vanish, drawn at random; liars stay. Others' tables still name them.
  void depart(int percent);

  // Both run the clock until the search is over. REQUIRES: an honest host that is there.
  DhtSearch announce(HostId host, const core::dht::NodeId& info_hash, std::uint16_t port);
  // `peer`: what is looked for.
  DhtSearch search(HostId host, const core::dht::NodeId& info_hash, const Endpoint& peer);

  HostId any_honest();
  core::dht::NodeId any_id() { return core::dht::random_id(random_); }
  Endpoint endpoint(HostId host) const { return at(host).endpoint; }
  const core::dht::Node& node(HostId host) const { return *at(host).node; }
  // The nodes closest to the target among the honest ones that are there.
  std::vector<core::dht::Contact> truly_closest(const core::dht::NodeId& target,
                                                std::size_t count) const;
  // Honest nodes that are there and have joined.
  std::size_t joined() const;
  std::int64_t datagrams() const { return datagrams_; }
  TimePoint now() const { return queue_.now(); }

 private:
  enum class Manner : std::uint8_t { kHonest, kLiar, kGone };
  struct Host {
    Endpoint endpoint;
    core::dht::NodeId id;
    Manner manner = Manner::kHonest;
    Duration delay{};
    std::unique_ptr<core::dht::Node> node;  // none for liars
    EventId timer;
  };
  struct Datagram {
    HostId from;
    Endpoint to;
    core::dht::Message message;
  };
  // The search that the clock runs for.
  struct Watch {
    HostId host;
    core::dht::LookupId lookup;
    Endpoint peer;
    DhtSearch result;
    bool done = false;
  };

  Host& at(HostId host) { return hosts_[static_cast<std::size_t>(host.value())]; }
  const Host& at(HostId host) const { return hosts_[static_cast<std::size_t>(host.value())]; }
  std::optional<HostId> host_of(const Endpoint& endpoint) const;
  void add_host(std::size_t index);
  void sort_by_id();
  void fill_table(Host& host);

  void run_until(TimePoint end);
  DhtSearch run_watch(HostId host, core::dht::LookupId lookup, const Endpoint& peer);
  void fire(const Event& event);
  void deliver(const Datagram& datagram);
  void drain(HostId host);
  void send(HostId from, const Endpoint& to, core::dht::Message message);
  void note(HostId host, const core::dht::Action& action);
  void lie(HostId liar, const Datagram& datagram);
  std::vector<core::dht::Contact> invented(const core::dht::NodeId& target);
  std::vector<core::dht::Contact> fellows(const core::dht::NodeId& target) const;

  DhtNetParams params_;
  Random random_;
  EventQueue queue_;
  std::vector<Host> hosts_;
  std::vector<std::uint32_t> by_id_;  // hosts in the order of their ids
  std::vector<Datagram> flying_;
  std::vector<std::size_t> free_;
  std::optional<Watch> watch_;
  std::int64_t datagrams_ = 0;
};

}  // namespace tributary::sim
