#include "engine/sim/links.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <vector>

#include "engine/base/random.h"

namespace tributary::sim {
namespace {

struct Net {
  EventQueue queue;
  Links links{queue};
  std::map<std::uint64_t, TimePoint> done;  // by the flow's user number

  HostId host(BitRate up, BitRate down, Duration half_rtt = 10ms, int loss = 0) {
    return links.add_host({up, down, half_rtt, loss});
  }
  void run() {
    while (auto event = queue.pop()) done[links.finish(*event).user] = queue.now();
  }
  double seconds(std::uint64_t user) {
    return static_cast<double>(done.at(user).time_since_epoch().count()) / 1e6;
  }
};

TEST_CASE("one transfer takes its size over the slower of the two links") {
  Net net;
  const HostId a = net.host(2_Mbps, 100_Mbps);
  const HostId b = net.host(100_Mbps, 10_Mbps);
  net.links.push(net.links.open(a, b, 1), Bytes(250'000));
  net.run();
  CHECK(net.seconds(1) == doctest::Approx(1.0));
  CHECK(net.links.sent(a) == Bytes(250'000));
  CHECK(net.links.received(b) == Bytes(250'000));
}

TEST_CASE("flows of one uplink share it, and the survivor speeds up") {
  Net net;
  const HostId a = net.host(8_Mbps, 8_Mbps);
  const HostId b = net.host(8_Mbps, 80_Mbps);
  const HostId c = net.host(8_Mbps, 80_Mbps);
  net.links.push(net.links.open(a, b, 1), Bytes(500'000));
  net.links.push(net.links.open(a, c, 2), Bytes(1'000'000));
  net.run();
  CHECK(net.seconds(1) == doctest::Approx(1.0));  // 4 Mbit/s
  CHECK(net.seconds(2) == doctest::Approx(1.5));  // 4 Mbit/s for 1 s, then 8
}

TEST_CASE("a slow sender leaves its share of the receiver's downlink to the others") {
  Net net;
  const HostId slow = net.host(1_Mbps, 1_Mbps);
  const HostId fast = net.host(100_Mbps, 100_Mbps);
  const HostId client = net.host(5_Mbps, 10_Mbps);
  const FlowId trickle = net.links.open(slow, client, 1);
  const FlowId stream = net.links.open(fast, client, 2);
  net.links.push(trickle, 1_MiB);
  net.links.push(stream, 1_MiB);
  CHECK(net.links.rate(trickle) == 1_Mbps);
  CHECK(net.links.rate(stream) == 9_Mbps);
}

TEST_CASE("a cap limits one connection and zero halts it") {
  Net net;
  const HostId cdn = net.host(kUnlimited, kUnlimited);
  const HostId client = net.host(5_Mbps, 10_Mbps);
  const FlowId flow = net.links.open(cdn, client, 1, 4_Mbps);
  net.links.push(flow, Bytes(500'000));
  CHECK(net.links.rate(flow) == 4_Mbps);
  net.links.set_cap(flow, BitRate());
  CHECK(net.links.rate(flow) == BitRate());
  CHECK(net.queue.empty());
  net.queue.schedule(3s, {});
  net.queue.pop();
  net.links.set_cap(flow, 2_Mbps);
  net.run();
  CHECK(net.seconds(1) == doctest::Approx(5.0));
}

TEST_CASE("transfers of one flow follow each other without a gap") {
  Net net;
  const HostId a = net.host(8_Mbps, 8_Mbps);
  const HostId b = net.host(8_Mbps, 8_Mbps);
  const FlowId flow = net.links.open(a, b, 1);
  for (int i = 0; i < 10; ++i) net.links.push(flow, Bytes(100'000));
  net.run();
  CHECK(net.seconds(1) == doctest::Approx(1.0));
}

TEST_CASE("changed rates re-plan what is under way") {
  Net net;
  const HostId a = net.host(8_Mbps, 8_Mbps);
  const HostId b = net.host(8_Mbps, 8_Mbps);
  net.links.push(net.links.open(a, b, 1), Bytes(1'000'000));
  net.queue.schedule(500ms, {});
  net.queue.advance(TimePoint(0s));
  net.queue.pop();
  net.links.set_rates(a, 1_Mbps, 8_Mbps);
  net.run();
  CHECK(net.seconds(1) == doctest::Approx(4.5));
}

TEST_CASE("closing a flow meters what has left and frees its share") {
  Net net;
  const HostId a = net.host(8_Mbps, 8_Mbps);
  const HostId b = net.host(8_Mbps, 8_Mbps);
  const FlowId first = net.links.open(a, b, 1);
  const FlowId second = net.links.open(a, b, 2);
  net.links.push(first, Bytes(1'000'000));
  net.links.push(second, Bytes(1'000'000));
  net.queue.schedule(1s, {Owner::kScript, 0, HostId(0), 0});
  net.queue.pop();
  CHECK(net.links.close(first) == Bytes(500'000));
  CHECK(net.links.rate(second) == 8_Mbps);
  CHECK(net.links.sent(a) == Bytes(500'000));
}

TEST_CASE("round trips are sums of halves unless a pair says otherwise") {
  Net net;
  const HostId a = net.host(8_Mbps, 8_Mbps, 10ms);
  const HostId b = net.host(8_Mbps, 8_Mbps, 15ms);
  CHECK(net.links.rtt(a, b) == 25ms);
  net.links.set_rtt(b, a, 80ms);
  CHECK(net.links.rtt(a, b) == 80ms);
  CHECK(net.links.latency(b, a) == 40ms);
}

TEST_CASE("loss lowers goodput, lengthens the round trip and caps a long connection") {
  Net net;
  const HostId a = net.host(100_Mbps, 100_Mbps, 50ms, 20);
  const HostId b = net.host(100_Mbps, 100_Mbps, 50ms);
  CHECK(net.links.rtt(a, b) == 102ms);
  const FlowId flow = net.links.open(a, b, 1);
  net.links.push(flow, 1_MiB);
  // 1460 B x 8 / 102 ms x 1.22 / sqrt(0.02) = 0.988 Mbit/s
  CHECK(net.links.rate(flow).bits_per_second() == doctest::Approx(988'000).epsilon(0.01));
}

TEST_CASE("no link ever carries more than its rate, and every byte arrives, under random load") {
  Net net;
  Random random(11);
  std::vector<HostId> hosts;
  for (int i = 0; i < 20; ++i) {
    hosts.push_back(net.host(BitRate(1'000'000 + random.below(9'000'000)),
                             BitRate(1'000'000 + random.below(19'000'000))));
  }
  std::vector<Bytes> given(hosts.size());
  std::vector<FlowId> flows;
  for (int i = 0; i < 120; ++i) {
    const std::uint64_t from = random.below(hosts.size());
    const HostId to = hosts[random.below(hosts.size())];
    flows.push_back(net.links.open(hosts[from], to, 1));
    for (int block = 0; block < 30; ++block) {
      net.links.push(flows.back(), 16_KiB);
      given[from] += 16_KiB;
    }
  }
  while (auto event = net.queue.pop()) {
    net.links.finish(*event);
    const double elapsed = static_cast<double>(net.queue.now().time_since_epoch().count()) / 1e6;
    for (HostId host : hosts) {
      const double up = static_cast<double>(net.links.link(host).up.bits_per_second());
      const double down = static_cast<double>(net.links.link(host).down.bits_per_second());
      CHECK(static_cast<double>(net.links.sent(host).count()) * 8 <= up * elapsed + 1000);
      CHECK(static_cast<double>(net.links.received(host).count()) * 8 <= down * elapsed + 1000);
    }
  }
  for (std::size_t i = 0; i < hosts.size(); ++i) CHECK(net.links.sent(hosts[i]) == given[i]);
}

// Progressive filling: the rates of all flows rise together, and those that cross a link that has
// become full stay as they are (Bertsekas & Gallager, "Data Networks", 1992, 6.5.2).
struct Crossing {
  std::size_t from = 0;
  std::size_t to = 0;
  double rate = 0;
  bool fixed = false;
};
void fill(std::vector<Crossing>& flows, std::vector<double> up, std::vector<double> down) {
  for (std::size_t left = flows.size(); left > 0;) {
    std::vector<int> sending(up.size());
    std::vector<int> receiving(down.size());
    for (const Crossing& flow : flows) {
      if (flow.fixed) continue;
      ++sending[flow.from];
      ++receiving[flow.to];
    }
    double step = 1e18;
    for (std::size_t i = 0; i < up.size(); ++i) {
      if (sending[i] > 0) step = std::min(step, up[i] / sending[i]);
      if (receiving[i] > 0) step = std::min(step, down[i] / receiving[i]);
    }
    for (Crossing& flow : flows) {
      if (flow.fixed) continue;
      flow.rate += step;
      up[flow.from] -= step;
      down[flow.to] -= step;
    }
    for (Crossing& flow : flows) {
      if (flow.fixed || (up[flow.from] > 1 && down[flow.to] > 1)) continue;
      flow.fixed = true;
      --left;
    }
  }
}

TEST_CASE("at each moment of a random load all rates are max-min, within a percent") {
  Net net;
  Random random(12);
  std::vector<double> up;
  std::vector<double> down;
  for (int i = 0; i < 16; ++i) {
    up.push_back(i % 2 == 0 ? 10e6 : 1e6 * static_cast<double>(1 + random.below(9)));
    down.push_back(i % 2 == 0 ? 10e6 : 1e6 * static_cast<double>(1 + random.below(29)));
    net.host(BitRate(static_cast<std::int64_t>(up.back())),
             BitRate(static_cast<std::int64_t>(down.back())));
  }
  std::vector<FlowId> ids;
  std::vector<Crossing> ends;
  for (std::size_t i = 0; i < 64; ++i) {
    ends.push_back({i / 4, (i / 4 + 1 + random.below(15)) % 16, 0, false});
    ids.push_back(net.links.open(HostId(static_cast<std::int32_t>(ends[i].from)),
                                 HostId(static_cast<std::int32_t>(ends[i].to)), i));
    net.links.push(ids[i], Bytes(static_cast<std::int64_t>(random.below(1 << 21) + 1)));
  }
  double worst = 0;
  while (!net.queue.empty()) {
    std::vector<Crossing> active;
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (net.done.count(i) > 0) continue;
      active.push_back(ends[i]);
      which.push_back(i);
    }
    fill(active, up, down);
    for (std::size_t i = 0; i < active.size(); ++i) {
      const auto ours = static_cast<double>(net.links.rate(ids[which[i]]).bits_per_second());
      worst = std::max(worst, std::abs(ours / active[i].rate - 1));
    }
    const auto event = net.queue.pop();
    net.done[net.links.finish(*event).user] = net.queue.now();
  }
  CHECK(net.done.size() == 64);
  CHECK(worst < 0.01);
}

// A host with four steady uploads, each block queued when the last one has left: the simulator's
// inner loop. Prints its speed; the figure itself is not asserted, since machines differ.
TEST_CASE("a thousand hosts with four flows each carry a hundred thousand blocks") {
  Net net;
  Random random(3);
  std::vector<HostId> hosts;
  for (int i = 0; i < 1000; ++i) hosts.push_back(net.host(5_Mbps, 10_Mbps));
  for (std::uint64_t i = 0; i < 4000; ++i) {
    const HostId to = hosts[(i / 4 + 1 + random.below(998)) % 1000];
    net.links.push(net.links.open(hosts[i / 4], to, i), Bytes(random.below(16384) + 1));
  }
  const auto begin = std::chrono::steady_clock::now();
  int transfers = 0;
  for (; transfers < 100'000; ++transfers) {
    const auto event = net.queue.pop();
    REQUIRE(event.has_value());
    const Links::Finished done = net.links.finish(*event);
    if (transfers % 2 == 0) {
      net.links.push(done.flow, 16_KiB);
    } else {  // a flow that pauses re-plans its neighbours twice
      net.links.close(done.flow);
      const HostId from = hosts[done.user / 4];
      const HostId to = hosts[(done.user / 4 + 1 + random.below(998)) % 1000];
      net.links.push(net.links.open(from, to, done.user), 16_KiB);
    }
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  MESSAGE("transfers per second: ", static_cast<int>(transfers / wall.count()));
  CHECK(net.links.host_count() == 1000);
}

}  // namespace
}  // namespace tributary::sim
