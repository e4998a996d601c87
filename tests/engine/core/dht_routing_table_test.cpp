#include "engine/core/dht_routing_table.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/engine/core/dht_rig.h"

namespace tributary::core::dht {
namespace {

const NodeId kOwn;
constexpr TimePoint kStart = TimePoint(1000s);

// Of a private network, where no rule about addresses holds.
Contact node(std::uint8_t first, std::uint8_t last) {
  return {id_of(first, last), Endpoint::v4(10, 0, first, last, 6881)};
}

// A bucket that cannot split: of ids that share no bit with the own one.
RoutingTable full_far_bucket(const RoutingLimits& limits = {}) {
  RoutingTable table(kOwn, limits);
  REQUIRE(table.on_answer(node(1, 1), kStart));
  for (std::uint8_t i = 0; i < kBucketSize; ++i) REQUIRE(table.on_answer(node(0x80, i), kStart));
  return table;
}

TEST_CASE("the bucket of the own id splits when it is full, others let nodes wait") {
  RoutingTable table = full_far_bucket();
  CHECK(table.bucket_count() == 2);
  CHECK_FALSE(table.on_answer(node(0x80, 8), kStart));
  CHECK(table.size() == 9);
  for (std::uint8_t i = 0; i < 20; ++i)
    table.on_answer(node(static_cast<std::uint8_t>(i), 9), kStart);
  CHECK(table.bucket_count() == 7);  // the ids below 8 are too many for one
  table.check();
}

TEST_CASE("a node is good for 15 minutes after it answered or asked, and then questionable") {
  RoutingTable table(kOwn);
  table.on_answer(node(1, 1), kStart);
  CHECK(table.state_of(id_of(1, 1), kStart + 899s) == NodeState::kGood);
  CHECK(table.state_of(id_of(1, 1), kStart + 900s) == NodeState::kQuestionable);
  table.on_query(node(1, 1), kStart + 900s);
  CHECK(table.state_of(id_of(1, 1), kStart + 1799s) == NodeState::kGood);
  table.on_failure(node(1, 1), kStart + 1799s);
  table.on_failure(node(1, 1), kStart + 1799s);
  CHECK(table.state_of(id_of(1, 1), kStart + 1799s) == NodeState::kBad);
  table.on_query(node(1, 1), kStart + 1800s);  // it can ask, but not answer
  CHECK(table.state_of(id_of(1, 1), kStart + 1800s) == NodeState::kBad);
  CHECK(table.size() == 1);  // the fault may be ours
  CHECK(table.closest(kOwn, 8, kStart + 1800s).empty());
  table.on_answer(node(1, 1), kStart + 1801s);
  CHECK(table.good(kStart + 1801s) == 1);
}

TEST_CASE("queries of unknown nodes put nothing into the table") {
  RoutingTable table(kOwn);
  table.on_query(node(1, 1), kStart);
  CHECK(table.size() == 0);
  CHECK(table.wants(node(1, 1), kStart));
}

TEST_CASE("a bad node gives its place to the youngest that waits") {
  RoutingTable table = full_far_bucket();
  table.on_answer(node(0x80, 100), kStart + 1s);
  table.on_answer(node(0x80, 101), kStart + 2s);
  table.on_failure(node(0x80, 3), kStart + 3s);
  CHECK(table.state_of(id_of(0x80, 101), kStart + 3s) == NodeState::kBad);
  table.on_failure(node(0x80, 3), kStart + 4s);
  CHECK(table.state_of(id_of(0x80, 101), kStart + 4s) == NodeState::kGood);
  CHECK(table.state_of(id_of(0x80, 100), kStart + 4s) == NodeState::kBad);
  CHECK(table.size() == 9);
  table.check();
}

TEST_CASE("the questionable node longest silent is checked where others wait for a place") {
  RoutingTable table = full_far_bucket();
  const TimePoint later = kStart + 20min;
  CHECK_FALSE(table.to_check(later));  // nobody waits
  table.on_answer(node(0x80, 0), kStart + 1s);
  table.on_answer(node(0x80, 100), later);
  CHECK(table.to_check(later) == node(0x80, 1));
  table.on_check(node(0x80, 1), later);
  CHECK(table.to_check(later) == node(0x80, 2));
  CHECK(table.to_check(later + 10s) == node(0x80, 1));
  CHECK_FALSE(table.to_check(kStart + 899s));  // all are good
}

TEST_CASE("nodes that wait are bounded, and the oldest goes first") {
  RoutingTable table = full_far_bucket({.waiting = 2});
  for (std::uint8_t i = 100; i < 110; ++i) table.on_answer(node(0x80, i), kStart);
  table.check();
  for (std::uint8_t i = 0; i < 3; ++i) {
    table.on_failure(node(0x80, i), kStart);
    table.on_failure(node(0x80, i), kStart);
  }
  CHECK(table.good(kStart) == 8);  // two places taken over, the third node stays, and is bad
  CHECK(table.state_of(id_of(0x80, 109), kStart) == NodeState::kGood);
  CHECK(table.state_of(id_of(0x80, 108), kStart) == NodeState::kGood);
}

TEST_CASE("an id under two addresses stays with the first, until that is bad") {
  RoutingTable table(kOwn);
  const Contact first = node(1, 1);
  const Contact thief{first.id, Endpoint::v4(10, 9, 9, 9, 1)};
  table.on_answer(first, kStart);
  CHECK_FALSE(table.on_answer(thief, kStart));
  CHECK(table.closest(kOwn, 8, kStart) == std::vector<Contact>{first});
  table.on_failure(thief, kStart);
  table.on_failure(thief, kStart);
  CHECK(table.good(kStart) == 1);
  table.on_failure(first, kStart);
  table.on_failure(first, kStart);
  CHECK(table.on_answer(thief, kStart));
  CHECK(table.closest(kOwn, 8, kStart) == std::vector<Contact>{thief});
  table.check();
}

TEST_CASE("an address under two ids has the id that it answered with last") {
  RoutingTable table(kOwn);
  table.on_answer(node(1, 1), kStart);
  CHECK(table.on_answer({id_of(2), node(1, 1).endpoint}, kStart));
  CHECK(table.size() == 1);
  CHECK(table.state_of(id_of(1, 1), kStart) == NodeState::kBad);
  table.check();
}

TEST_CASE("the own id and port 0 are not taken in") {
  RoutingTable table(kOwn);
  CHECK_FALSE(table.on_answer({kOwn, Endpoint::v4(10, 0, 0, 1, 1)}, kStart));
  CHECK_FALSE(table.on_answer({id_of(1), Endpoint::v4(10, 0, 0, 1, 0)}, kStart));
  CHECK_FALSE(table.wants({kOwn, Endpoint::v4(10, 0, 0, 1, 1)}, kStart));
}

TEST_CASE("one network gets few places in a bucket and in the table") {
  RoutingTable table(kOwn);
  std::size_t taken = 0;
  for (std::uint8_t bit = 0; bit < 8; ++bit) {
    std::size_t in_bucket = 0;
    for (std::uint8_t i = 0; i < 5; ++i) {
      const auto host = static_cast<std::uint8_t>(bit * 5 + i);
      const Contact one{id_of(static_cast<std::uint8_t>(1U << bit), host),
                        Endpoint::v4(203, 0, 113, host, 1)};
      in_bucket += table.on_answer(one, kStart) ? 1 : 0;
    }
    taken += in_bucket;
    CHECK(in_bucket <= 2);
  }
  CHECK(taken == 2);  // nothing split, so that all were of one bucket
  CHECK_FALSE(table.wants({id_of(1, 99), Endpoint::v4(203, 0, 113, 99, 1)}, kStart));
  CHECK(table.wants({id_of(1, 99), Endpoint::v4(203, 0, 112, 99, 1)}, kStart));
}

TEST_CASE(
    "where others fill the buckets, a network gets its share of each up to that of the table") {
  RoutingTable table(kOwn);
  Random random(5);
  for (int i = 0; i < 3000; ++i) {
    const auto a = static_cast<std::uint8_t>(random.below(200));
    const auto b = static_cast<std::uint8_t>(random.below(256));
    table.on_answer({random_id(random), Endpoint::v4(20, a, b, 1, 1)}, kStart);
  }
  std::size_t taken = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto host = static_cast<std::uint8_t>(i);
    const Endpoint at = Endpoint::v4(84, 124, 73, host, static_cast<std::uint16_t>(1 + i));
    taken += table.on_answer({secure_id(at, random), at}, kStart) ? 1 : 0;
  }
  MESSAGE("seed 5: " << taken << " of " << table.size() << " nodes are of one network");
  CHECK(taken <= 8);
  CHECK(taken > 0);
  table.check();
}

TEST_CASE("a node whose id fits its address takes the place of one whose id does not") {
  RoutingTable table(kOwn);
  Random random(9);
  const auto far = [&](bool secure, std::uint8_t net) {
    for (;;) {
      const Endpoint at = Endpoint::v4(21, net, static_cast<std::uint8_t>(random.below(256)), 1, 1);
      const NodeId id = secure ? secure_id(at, random) : random_id(random);
      if (shared_bits(id, kOwn) == 0 && is_secure(id, at) == secure) return Contact{id, at};
    }
  };
  table.on_answer(node(1, 1), kStart);
  for (std::uint8_t i = 0; i < 8; ++i) REQUIRE(table.on_answer(far(false, i), kStart));
  CHECK_FALSE(table.on_answer(far(false, 100), kStart));
  for (std::uint8_t i = 0; i < 8; ++i) CHECK(table.on_answer(far(true, i), kStart));
  CHECK_FALSE(table.on_answer(far(true, 101), kStart));
  table.check();
}

TEST_CASE("the closest nodes are found as by looking at all") {
  Random random(17);
  RoutingTable table(random_id(random));
  std::vector<Contact> in;
  for (int i = 0; i < 2000; ++i) {
    const Contact each{random_id(random), Endpoint::v4(10, static_cast<std::uint8_t>(i >> 8),
                                                       static_cast<std::uint8_t>(i), 1, 1)};
    if (table.on_answer(each, kStart)) in.push_back(each);
  }
  // A later one may have made an earlier one's bucket split, but nobody had to go.
  REQUIRE(in.size() == table.size());
  for (int i = 0; i < 200; ++i) {
    NodeId target = random_id(random);
    if (i % 2 == 0) target = distance(table.own_id(), id_of(0, static_cast<std::uint8_t>(i)));
    std::vector<Contact> expected = in;
    std::sort(expected.begin(), expected.end(), [&](const Contact& a, const Contact& b) {
      return distance(a.id, target) < distance(b.id, target);
    });
    for (const std::size_t count : {1, 8, 30}) {
      const std::vector<Contact> first(expected.begin(),
                                       expected.begin() + static_cast<std::ptrdiff_t>(count));
      REQUIRE(table.closest(target, count, kStart) == first);
    }
  }
}

TEST_CASE("a bucket without change for 15 minutes is refreshed in its own range") {
  RoutingTable table = full_far_bucket();
  Random random(3);
  CHECK(table.next_refresh() == kStart + 15min);
  CHECK_FALSE(table.take_refresh(kStart + 899s, random));
  table.on_answer(node(0x80, 1), kStart + 60s);
  const auto near = table.take_refresh(kStart + 900s, random);
  REQUIRE(near);
  CHECK(shared_bits(*near, kOwn) > 0);
  CHECK_FALSE(table.take_refresh(kStart + 900s, random));
  CHECK(table.next_refresh() == kStart + 960s);
  const auto far = table.take_refresh(kStart + 960s, random);
  REQUIRE(far);
  CHECK(shared_bits(*far, kOwn) == 0);
  table.refresh_all();
  CHECK(table.take_refresh(kStart + 960s, random));
  CHECK(table.take_refresh(kStart + 960s, random));
  CHECK_FALSE(table.take_refresh(kStart + 960s, random));
  CHECK(RoutingTable(kOwn).next_refresh() == kNever);
}

TEST_CASE("a saved table comes back with its silences, bad nodes left out") {
  RoutingTable table(kOwn);
  table.on_answer(node(1, 1), kStart);
  table.on_answer(node(2, 2), kStart + 5min);
  table.on_answer(node(3, 3), kStart);
  table.on_failure(node(3, 3), kStart);
  table.on_failure(node(3, 3), kStart);
  const auto saved = table.save(kStart + 6min);
  REQUIRE(saved.size() == 2);
  CHECK(saved[0] == SavedContact{node(1, 1), 6min});
  CHECK(saved[1] == SavedContact{node(2, 2), 1min});
  RoutingTable again(kOwn);
  const TimePoint restart = TimePoint(3s);  // of another clock
  again.restore(saved, 10min, restart);
  CHECK(again.state_of(id_of(1, 1), restart) == NodeState::kQuestionable);
  CHECK(again.state_of(id_of(2, 2), restart) == NodeState::kGood);
  CHECK(again.state_of(id_of(2, 2), restart + 4min) == NodeState::kQuestionable);
  CHECK(again.next_refresh() == restart + 4min);
  again.check();
}

TEST_CASE("saved nodes with absurd silences, doubles and ports of zero do no harm") {
  RoutingTable table(kOwn);
  std::vector<SavedContact> saved = {{node(1, 1), Duration::max()},
                                     {node(2, 2), Duration::min()},
                                     {node(2, 2), 0s},
                                     {{id_of(3), node(2, 2).endpoint}, 0s},
                                     {{kOwn, node(4, 4).endpoint}, 0s},
                                     {{id_of(5), Endpoint::v4(10, 0, 0, 1, 0)}, 0s}};
  table.restore(saved, Duration::max(), kStart);
  CHECK(table.size() == 2);
  CHECK(table.good(kStart) == 0);
  table.check();
}

TEST_CASE("under a new own id all nodes are sorted anew") {
  Random random(23);
  RoutingTable table(random_id(random));
  for (int i = 0; i < 500; ++i) {
    table.on_answer({random_id(random), Endpoint::v4(10, static_cast<std::uint8_t>(i >> 8),
                                                     static_cast<std::uint8_t>(i), 1, 1)},
                    kStart);
  }
  const std::size_t before = table.size();
  const NodeId other = random_id(random);
  table.set_own_id(other, kStart);
  CHECK(table.own_id() == other);
  CHECK(table.size() > 8);
  CHECK(table.size() <= before);
  table.check();
}

TEST_CASE("whatever happens to a table, its invariants hold and its size is bounded") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    RoutingTable table(random_id(random));
    TimePoint now = kStart;
    for (int i = 0; i < 5000; ++i) {
      now += Duration(static_cast<std::int64_t>(random.below(2'000'000)));
      NodeId id = table.own_id();  // often close to the own one
      for (std::size_t at = random.below(20); at < 20; ++at) {
        id.bytes[at] = static_cast<std::uint8_t>(random.below(4));
      }
      const auto net = static_cast<std::uint8_t>(random.below(8));
      const Contact each{id, Endpoint::v4(random.chance(1, 2) ? 10 : 60, net, net,
                                          static_cast<std::uint8_t>(random.below(20)), 7)};
      switch (random.below(4)) {
        case 0:
          table.on_failure(each, now);
          break;
        case 1:
          table.on_query(each, now);
          break;
        default:
          table.on_answer(each, now);
          break;
      }
      if (const auto check = table.to_check(now)) {
        table.on_check(*check, now);
        if (random.chance(1, 2)) table.on_failure(*check, now);
      }
      static_cast<void>(table.take_refresh(now, random));
      table.check();
    }
  }
}

}  // namespace
}  // namespace tributary::core::dht
