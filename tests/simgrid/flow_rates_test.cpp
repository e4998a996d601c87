// Flows over access links end in engine/sim/links.h when they end in SimGrid, whose rates are
// max-min (CM02, without the factors by which it would stand in for TCP's overhead).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/sim/links.h"

#ifdef TRIBUTARY_SIMGRID
#include <simgrid/s4u.hpp>
#endif

namespace tributary::sim {
namespace {

#ifdef TRIBUTARY_SIMGRID

struct TestFlow {
  std::size_t from = 0;
  std::size_t to = 0;
  Bytes size;
};

// All flows begin at once.
struct Load {
  std::string name;
  std::vector<AccessLink> hosts;
  std::vector<TestFlow> flows;
};

// Everybody sends to a few others, of whom some get more than others.
std::vector<TestFlow> draw_flows(std::size_t hosts, int of_each, std::uint64_t seed) {
  Random random(seed);
  std::vector<TestFlow> flows;
  for (std::size_t from = 0; from < hosts; ++from) {
    for (int i = 0; i < of_each; ++i) {
      const std::size_t to = (from + 1 + random.below(hosts - 1)) % hosts;
      flows.push_back({from, to, 1_MiB + Bytes(static_cast<std::int64_t>(random.below(1 << 21)))});
    }
  }
  return flows;
}

Load symmetric_load() {
  Load load{"symmetric", {}, draw_flows(16, 4, 1)};
  load.hosts.assign(16, AccessLink{10_Mbps, 10_Mbps, 10ms, 0});
  return load;
}

// A few with fast links among many whose uplinks are slow, as of home connections.
Load asymmetric_load() {
  Load load{"asymmetric", {}, draw_flows(16, 4, 2)};
  for (std::size_t i = 0; i < 16; ++i) {
    load.hosts.push_back(i % 4 == 0   ? AccessLink{100_Mbps, 100_Mbps, 10ms, 0}
                         : i % 4 == 1 ? AccessLink{1_Mbps, 8_Mbps, 10ms, 0}
                                      : AccessLink{5_Mbps, 20_Mbps, 10ms, 0});
  }
  return load;
}

// When each flow ends, in seconds.
std::vector<double> ours(const Load& load) {
  EventQueue queue;
  Links links(queue);
  std::vector<HostId> hosts;
  for (const AccessLink& link : load.hosts) hosts.push_back(links.add_host(link));
  for (std::size_t i = 0; i < load.flows.size(); ++i) {
    const TestFlow& flow = load.flows[i];
    links.push(links.open(hosts[flow.from], hosts[flow.to], i), flow.size);
  }
  std::vector<double> ends(load.flows.size());
  while (const auto event = queue.pop()) {
    const TimePoint now = queue.now();
    ends[links.finish(*event).user] = static_cast<double>(now.time_since_epoch().count()) / 1e6;
  }
  return ends;
}

namespace s4u = simgrid::s4u;

// The zones of one engine, which a process can have once.
class Grid {
 public:
  static std::vector<std::vector<double>> run(const std::vector<Load>& loads) {
    static char name[] = "test_simgrid";
    static char quiet[] = "--log=root.thresh:error";
    char* words[] = {name, quiet, nullptr};
    int count = 2;
    s4u::Engine engine(&count, words);
    s4u::Engine::set_config("network/model:CM02");
    s4u::Engine::set_config("network/crosstraffic:0");
    // Without this, SimGrid 3.32 has some hosts receive more than their links carry.
    s4u::Engine::set_config("network/optim:Full");
    s4u::NetZone* zone = s4u::create_star_zone("access");
    std::vector<std::vector<double>> ends(loads.size());
    for (std::size_t i = 0; i < loads.size(); ++i) add(*zone, loads[i], ends[i]);
    zone->seal();
    engine.run();
    return ends;
  }

 private:
  static s4u::Link* link(s4u::NetZone& zone, const std::string& name, BitRate rate) {
    constexpr double kNoTime = 1e-3;  // seconds, the same for all: by round trips SimGrid weighs
    const double bytes = static_cast<double>(rate.bits_per_second()) / 8;
    return zone.create_link(name, bytes)->set_latency(kNoTime)->seal();
  }
  static void add(s4u::NetZone& zone, const Load& load, std::vector<double>& ends) {
    std::vector<s4u::Host*> hosts;
    for (const AccessLink& access : load.hosts) {
      const std::string name = load.name + std::to_string(hosts.size());
      s4u::Host* host = zone.create_host(name, 1e9);
      zone.add_route(host->get_netpoint(), nullptr, nullptr, nullptr,
                     {s4u::LinkInRoute(link(zone, name + "up", access.up))}, false);
      zone.add_route(nullptr, host->get_netpoint(), nullptr, nullptr,
                     {s4u::LinkInRoute(link(zone, name + "down", access.down))}, false);
      hosts.push_back(host);
    }
    ends.resize(load.flows.size());
    for (std::size_t i = 0; i < load.flows.size(); ++i) {
      const TestFlow& flow = load.flows[i];
      s4u::Mailbox* box = s4u::Mailbox::by_name(load.name + "-" + std::to_string(i));
      const auto size = static_cast<std::uint64_t>(flow.size.count());
      s4u::Actor::create("sender", hosts[flow.from], [box, size] {
        static int payload = 0;
        box->put(&payload, size);
      });
      s4u::Actor::create("receiver", hosts[flow.to], [box, &end = ends[i]] {
        box->get<int>();
        end = s4u::Engine::get_clock();
      });
    }
  }
};

TEST_CASE("flows of a symmetric and of an asymmetric load end when SimGrid says, within 2 %") {
  const std::vector<Load> loads = {symmetric_load(), asymmetric_load()};
  const auto theirs = Grid::run(loads);
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const std::vector<double> mine = ours(loads[i]);
    double worst = 0;
    double sum = 0;
    for (std::size_t f = 0; f < mine.size(); ++f) {
      const double off = std::abs(mine[f] / theirs[i][f] - 1);
      worst = std::max(worst, off);
      sum += off;
    }
    std::printf("%s load, %zu flows: off by %.2f %% in the mean, %.2f %% at most\n",
                loads[i].name.c_str(), mine.size(), 100 * sum / static_cast<double>(mine.size()),
                100 * worst);
    CHECK(worst < 0.02);
  }
}

#else

TEST_CASE("flows are compared with SimGrid's where it is installed") {
  std::puts("[skipped] flow rates beside SimGrid's: libsimgrid-dev is not installed");
}

#endif

}  // namespace
}  // namespace tributary::sim
