// uTP connections over modelled links: what must hold whatever the network does.
#include "tests/engine/wire/utp_link.h"

#include <doctest/doctest.h>

#include <array>

namespace tributary::wire {
namespace {

using testing::GreedyFlow;
using testing::LocalClock;
using testing::Path;
using testing::PathParams;
using testing::UtpHost;
using testing::UtpWorld;

using State = UtpConnection::State;

constexpr std::int64_t kMega = 1'000'000;

// A link with the same figures in both directions.
struct Link {
  explicit Link(const PathParams& params, std::uint64_t seed = 1)
      : forward(params, seed), back(params, seed + 1000) {}
  Path forward;
  Path back;
};

bool ended(const UtpHost* host) { return host->connection.state() == State::kEnded; }

TEST_CASE("all bytes arrive in order and once, whatever the link does to packets") {
  struct Fault {
    std::uint64_t loss;
    std::uint64_t doubled;
    Duration jitter;
  };
  const std::array faults{Fault{0, 0, 0ms},    Fault{10, 10, 5ms},   Fault{50, 0, 0ms},
                          Fault{0, 100, 0ms},  Fault{0, 0, 40ms},    Fault{100, 100, 20ms},
                          Fault{200, 50, 0ms}, Fault{200, 200, 50ms}};
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    for (const Fault& fault : faults) {
      CAPTURE(seed);
      CAPTURE(fault.loss);
      CAPTURE(fault.jitter.count());
      Link link({20_Mbps, 20ms, 100_KiB, fault.loss, fault.doubled, fault.jitter}, seed);
      UtpWorld world;
      const LocalClock odd{Duration(static_cast<std::int64_t>(seed) * 1'431'655'765), 0};
      auto [near, far] = world.connect(link.forward, link.back, {}, {}, odd);
      REQUIRE(far != nullptr);
      near->to_send = 300'000;
      far->to_send = 100'000;
      near->finish_when_written = false;
      const bool done = world.run_until(
          [n = near, f = far] { return f->received == n->to_send && n->received == f->to_send; },
          600s);
      REQUIRE(done);
      CHECK(near->wrong + far->wrong == 0);
      near->finish_when_written = true;
      CHECK(world.run_until([n = near, f = far] { return ended(n) && f->connection.at_end(); },
                            120s));
      CHECK(far->received == near->to_send);
    }
  }
}

TEST_CASE("a flow that is alone uses the link, and keeps the queue near its target") {
  for (const auto& figures : {std::pair{10_Mbps, 25ms}, {2_Mbps, 10ms}, {20_Mbps, 5ms}}) {
    const BitRate rate = figures.first;
    CAPTURE(rate.bits_per_second());
    Link link({rate, figures.second, 2_MiB});
    UtpWorld world;
    auto [near, far] = world.connect(link.forward, link.back);
    near->to_send = 1000 * kMega;
    world.run(10s);
    link.forward.longest_queue();
    const std::int64_t before = far->received;
    world.run(20s);
    const BitRate got = rate_of(Bytes(far->received - before), 20s);
    // Headers are 4 %, slow-downs up to 10 %.
    CHECK(got.bits_per_second() > rate.bits_per_second() * 86 / 100);
    CHECK(link.forward.longest_queue() < kLedbatTarget * 3 / 2);
    CHECK(near->connection.stats().losses == 0);
  }
}

TEST_CASE("a flow alone on a link with a small queue still uses it") {
  Link link({10_Mbps, 25ms, 30_KiB});
  UtpWorld world;
  auto [near, far] = world.connect(link.forward, link.back);
  near->to_send = 1000 * kMega;
  world.run(10s);
  const std::int64_t before = far->received;
  world.run(30s);
  CHECK(rate_of(Bytes(far->received - before), 30s) > 7_Mbps);
  CHECK(near->connection.stats().losses > 0);
  CHECK(near->connection.stats().timeouts <= 2);
}

// 100 and 300 ms of queue, as home routers have.
TEST_CASE("a flow gives way to one that fills the queue, and takes what is left") {
  for (const Bytes queue : {125'000_B, 375'000_B}) {
    Link link({10_Mbps, 25ms, queue});
    UtpWorld world;
    auto [near, far] = world.connect(link.forward, link.back);
    near->to_send = 1000 * kMega;
    world.run(20s);
    GreedyFlow greedy(world, link.forward, 25ms);
    greedy.start();
    world.run(5s);  // for its own slow start
    const std::int64_t greedy_before = greedy.delivered();
    const std::int64_t utp_before = far->received;
    world.run(30s);
    const BitRate theirs = rate_of(Bytes(greedy.delivered() - greedy_before), 30s);
    const BitRate ours = rate_of(Bytes(far->received - utp_before), 30s);
    CHECK(theirs > BitRate(9'000'000));
    CHECK(ours.bits_per_second() > 20'000);
  }
}

TEST_CASE("two flows share a link, whichever came first") {
  Link link({4_Mbps, 25ms, 200_KiB});
  UtpWorld world;
  auto [first, first_far] = world.connect(link.forward, link.back);
  first->to_send = 1000 * kMega;
  world.run(30s);
  auto [second, second_far] = world.connect(link.forward, link.back);
  second->to_send = 1000 * kMega;
  world.run(60s);
  const std::int64_t a = first_far->received;
  const std::int64_t b = second_far->received;
  world.run(60s);
  const BitRate of_first = rate_of(Bytes(first_far->received - a), 60s);
  const BitRate of_second = rate_of(Bytes(second_far->received - b), 60s);
  CHECK(of_first + of_second > BitRate(3'500'000));
  CHECK(of_first.bits_per_second() * 2 > of_second.bits_per_second());
  CHECK(of_second.bits_per_second() * 2 > of_first.bits_per_second());
}

TEST_CASE("clocks that drift apart are no queue") {
  for (const std::int64_t ppm : {-100, 100}) {
    CAPTURE(ppm);
    Link link({2_Mbps, 25ms, 1_MiB});
    UtpWorld world;
    auto [near, far] = world.connect(link.forward, link.back, {}, {}, {5s, ppm});
    near->to_send = 10'000 * kMega;
    world.run(300s);
    const std::int64_t before = far->received;
    link.forward.longest_queue();
    world.run(60s);
    CHECK(rate_of(Bytes(far->received - before), 60s) > BitRate(1'600'000));
    CHECK(link.forward.longest_queue() < 250ms);
  }
}

TEST_CASE("losses of one round trip cost one half of the window") {
  Link link({10_Mbps, 25ms, 1_MiB});
  UtpWorld world;
  auto [near, far] = world.connect(link.forward, link.back);
  near->to_send = 1000 * kMega;
  world.run(9s);
  // Not in a slow-down.
  REQUIRE(world.run_until([n = near] { return n->connection.window() > 60_KiB; }, 9s));
  REQUIRE(near->connection.stats().losses == 0);
  link.forward.set_loss(300);
  world.run(40ms);  // about 35 packets
  link.forward.set_loss(0);
  world.run(400ms);
  CHECK(near->connection.stats().losses == 1);
  CHECK(near->connection.stats().timeouts == 0);
  CHECK(near->connection.stats().retransmissions > 3);
}

TEST_CASE("a peer that reads nothing is not sent more than it has room for, and then all") {
  Link link({50_Mbps, 5ms, 1_MiB});
  UtpWorld world;
  auto [near, far] = world.connect(link.forward, link.back);
  far->reading = false;
  near->to_send = 2 * kMega;
  world.run(60s);
  CHECK(Bytes(std::ssize(far->connection.readable())) <= kUtpReceiveBuffer);
  CHECK(Bytes(std::ssize(far->connection.readable())) > kUtpReceiveBuffer - 2_KiB);
  CHECK(near->connection.state() == State::kOpen);
  // What it hears meanwhile are probes that grow rare.
  const std::int64_t before = near->connection.stats().packets_sent;
  world.run(60s);
  CHECK(near->connection.stats().packets_sent - before <= 6);
  far->reading = true;
  const bool done = world.run_until([f = far, n = near] { return f->received == n->to_send; }, 20s);
  CHECK(done);
  CHECK(far->wrong == 0);
}

TEST_CASE("a window update that is lost is asked for again") {
  Link link({50_Mbps, 5ms, 1_MiB});
  UtpWorld world;
  auto [near, far] = world.connect(link.forward, link.back);
  far->reading = false;
  near->to_send = kMega;
  world.run(10s);
  link.back.set_loss(1000);
  far->reading = true;
  world.run(50ms);
  link.back.set_loss(0);
  CHECK(world.run_until([f = far] { return f->received == kMega; }, 60s));
}

TEST_CASE("a peer that is gone is noticed within the bounds") {
  Link link({10_Mbps, 25ms, 1_MiB});
  UtpWorld world;
  auto [near, far] = world.connect(link.forward, link.back);
  near->to_send = kMega;
  world.run(500ms);
  far->dead = true;
  const TimePoint gone = world.now();
  CHECK(world.run_until([n = near] { return ended(n); }, 120s));
  CHECK(near->connection.end() == UtpEnd::kTimedOut);
  CHECK(world.now() - gone < 60s);
}

TEST_CASE("an end that nobody answers is given up within the bounds") {
  Link link({10_Mbps, 25ms, 1_MiB});
  UtpWorld world;
  auto [near, far] = world.connect(link.forward, link.back);
  world.run(1s);
  far->dead = true;
  near->finish_when_written = true;
  CHECK(world.run_until([n = near] { return ended(n); }, 60s));
}

TEST_CASE("a dial that nobody answers ends after three SYNs") {
  Link link({10_Mbps, 25ms, 1_MiB});
  UtpWorld world;
  UtpHost* near = world.dial(link.forward);
  const TimePoint start = world.now();
  CHECK(world.run_until([near] { return ended(near); }, 60s));
  CHECK(near->connection.end() == UtpEnd::kTimedOut);
  CHECK(near->connection.stats().packets_sent == 3);
  CHECK(world.now() - start >= 7s);
  CHECK(world.now() - start < 8s);
}

TEST_CASE("an idle connection says something before a NAT forgets it") {
  Link link({10_Mbps, 25ms, 1_MiB});
  UtpWorld world;
  auto [near, far] = world.connect(link.forward, link.back);
  world.run(1s);
  const std::int64_t before = near->connection.stats().packets_sent;
  world.run(60s);
  CHECK(near->connection.stats().packets_sent - before == 2);
  CHECK(near->connection.state() == State::kOpen);
}

TEST_CASE("small writes go out at once and an answer takes one round trip") {
  Link link({10_Mbps, 25ms, 1_MiB});
  UtpWorld world;
  auto [near, far] = world.connect(link.forward, link.back);
  world.run(1s);
  const TimePoint start = world.now();
  near->to_send = 17;
  REQUIRE(world.run_until([f = far] { return f->received == 17; }, 5s));
  far->to_send = 17;
  REQUIRE(world.run_until([n = near] { return n->received == 17; }, 5s));
  CHECK(world.now() - start < 51ms);
}

TEST_CASE("the same seed gives the same packets") {
  const auto run = [] {
    Link link({10_Mbps, 25ms, 60_KiB, 20, 20, 10ms}, 42);
    UtpWorld world;
    auto [near, far] = world.connect(link.forward, link.back);
    near->to_send = kMega;
    world.run_until([f = far] { return f->received == kMega; }, 600s);
    const UtpStats& stats = near->connection.stats();
    return std::array{world.now().time_since_epoch().count(), stats.packets_sent,
                      stats.retransmissions, stats.losses, stats.timeouts};
  };
  CHECK(run() == run());
}

}  // namespace
}  // namespace tributary::wire
