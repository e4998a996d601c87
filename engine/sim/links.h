// Access links between hosts, at the level of flows: no packets, only rates.
//
// Modelled: each host's up and down rate, shared max-min among the flows that cross it, each
// limited by its own cap too; round-trip times as sums of halves, with overrides; random loss as a
// lower goodput, a longer latency and a cap by Mathis, Semke, Mahdavi and Ott ("The Macroscopic
// Behavior of the TCP Congestion Avoidance Algorithm", 1997); links that change over time.
// Not modelled: slow start, queues and the delay they add, congestion inside the network, the
// bandwidth of acknowledgements and control messages.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "engine/base/fifo.h"
#include "engine/base/slot_map.h"
#include "engine/base/units.h"
#include "engine/sim/event_queue.h"

namespace tributary::sim {

struct AccessLink {
  BitRate up = kUnlimited;
  BitRate down = kUnlimited;
  // The host's part of each round trip; the RTT of a pair is the sum of both parts.
  Duration half_rtt = 10ms;
  std::int32_t loss_permille = 0;  // packets lost, in [0, 500]
};

// A one-way byte stream from one host to another.
struct FlowTag;
using FlowId = Id<FlowTag, std::uint64_t>;

// Each link has a level, the rate of those of its flows that nothing else slows down; without a
// flow to slow down it has none, which is kFastest. A flow's rate is the least of its cap and its
// two levels. A level that changes may change those at the other ends of its flows, and so on until
// all fit: that state is the max-min one, for each flow is either at its cap or among the fastest
// of a full link.
//
// Tracks: each host's rates, levels and active flows; each flow's queue of transfers and its
// present rate. Invariants: a flow is listed at both hosts iff its queue is not empty; the rates of
// a host's flows never sum to more than its link; limits_sum of a host is the sum of its incoming
// limits.
class Links {
 public:
  // The queue must outlive this. Events of Owner::kLinks are to be passed to finish().
  explicit Links(EventQueue& queue) : queue_(queue) {}

  HostId add_host(const AccessLink& link);
  // From now on; flows under way are re-planned.
  void set_rates(HostId host, BitRate up, BitRate down);
  void set_rtt(HostId a, HostId b, Duration rtt);
  Duration rtt(HostId a, HostId b) const;
  Duration latency(HostId a, HostId b) const { return rtt(a, b) / 2; }

  // A flow at rest. `cap` limits it besides the links; `user` comes back with each transfer.
  FlowId open(HostId from, HostId to, std::uint64_t user, BitRate cap = kUnlimited);
  // Zero halts the flow.
  void set_cap(FlowId id, BitRate cap);
  // Queues bytes behind what the flow has to carry already. REQUIRES: size > 0, the flow is open.
  void push(FlowId id, Bytes size);
  // Ends the flow. Returns how much of the transfers that were not finished has left the sender.
  Bytes close(FlowId id);

  // The bytes of one transfer have left the sender; they arrive latency() later.
  struct Finished {
    FlowId flow;
    std::uint64_t user = 0;
    Bytes size;
  };
  Finished finish(const Event& event);

  // Bytes that left or reached the host in transfers, partial ones included once they are closed.
  Bytes sent(HostId host) const { return at(host).sent; }
  Bytes received(HostId host) const { return at(host).received; }
  BitRate rate(FlowId id) const;
  std::size_t host_count() const { return hosts_.size(); }
  const AccessLink& link(HostId host) const { return at(host).link; }

 private:
  struct Host {
    AccessLink link;
    std::int64_t up = 0;  // bits per second that loss leaves
    std::int64_t down = 0;
    std::vector<FlowId> out;  // active flows
    std::vector<FlowId> in;
    std::int64_t up_level = 0;
    std::int64_t down_level = 0;
    std::int64_t limits_sum = 0;
    bool up_dirty = false;
    bool down_dirty = false;
    Bytes sent;
    Bytes received;
  };
  struct Flow {
    HostId from;
    HostId to;
    std::uint64_t user = 0;
    std::int64_t cap = 0;
    Fifo<Bytes> queue;
    std::int64_t remaining = 0;  // of the front transfer, in bits x 1e6
    std::int64_t limit = 0;      // bits per second: cap and uplink's level
    std::int64_t bound = 0;      // the downlink's level
    std::int64_t counted = 0;    // bound and cap when the uplink's level was found
    std::int64_t rate = 0;
    TimePoint since{};  // `remaining` was true then
    EventId event;
    std::uint32_t out_place = 0;
    std::uint32_t in_place = 0;
  };

  Host& at(HostId host) { return hosts_[static_cast<std::size_t>(host.value())]; }
  const Host& at(HostId host) const { return hosts_[static_cast<std::size_t>(host.value())]; }
  Flow& flow(FlowId id);

  void activate(FlowId id);
  void deactivate(FlowId id);
  void mark_up(HostId host);
  void mark_down(HostId host);
  void fill_marked();
  void fill_up(Host& host);
  void fill_down(Host& host);
  void set_limit(FlowId id, Flow& flow, std::int64_t limit);
  bool concerns_sender(const Flow& flow) const;
  // The level of a link of that capacity, which its flows would exceed. `limit_of` says what else
  // limits a flow.
  template <class LimitOf>
  std::int64_t level(std::int64_t capacity, const std::vector<FlowId>& flows,
                     LimitOf limit_of) const;
  void set_rate(FlowId id, Flow& flow, std::int64_t rate);
  void settle(Flow& flow);
  void plan(FlowId id, Flow& flow);
  std::int64_t loss_cap(HostId from, HostId to) const;

  EventQueue& queue_;
  std::vector<Host> hosts_;
  SlotMap<FlowTag, Flow> flows_;
  std::map<std::pair<HostId, HostId>, Duration> rtts_;
  std::vector<HostId> up_marked_;
  std::vector<HostId> down_marked_;
};

}  // namespace tributary::sim
