#include "engine/core/start_rule.h"

#include <doctest/doctest.h>

namespace tributary::core {
namespace {

constexpr TimePoint at(Duration since_origin) { return TimePoint(since_origin); }

RateHistory steady(int seconds, Bytes each) {
  RateHistory h;
  for (int i = 0; i <= seconds; ++i) h.add(at(i * 1s), i < seconds ? each : 0_B);
  return h;
}

bool starts(const RateHistory& h, Bytes ahead, const ByteTimeMap& map, Duration position = 0s,
            std::uint64_t seed = 1) {
  Random random(seed);
  return may_start(h, ahead, map, position, random);
}

TEST_CASE("bytes are booked to the second in which they came; the present one is not told") {
  RateHistory h;
  h.add(at(10s), 100_B);
  h.add(at(10999ms), 50_B);
  CHECK(h.size() == 0);
  h.add(at(11s), 7_B);
  REQUIRE(h.size() == 1);
  CHECK(h.at(0) == 150_B);
  h.add(at(14s), 0_B);
  REQUIRE(h.size() == 4);
  CHECK(h.at(1) == 7_B);
  CHECK(h.at(2) == 0_B);
  CHECK(h.at(3) == 0_B);
}

TEST_CASE("idle time is not recorded as slow time") {
  RateHistory h;
  h.add(at(0s), 100_B);
  h.add(at(1s), 200_B);
  h.idle(at(1500ms));
  h.idle(at(60s));
  h.add(at(500s), 300_B);
  h.add(at(501s), 0_B);
  REQUIRE(h.size() == 2);
  CHECK(h.at(0) == 100_B);
  CHECK(h.at(1) == 300_B);
}

TEST_CASE("the record keeps the last 900 s, after a long silence too") {
  RateHistory h;
  for (int i = 0; i < 2000; ++i) h.add(at(i * 1s), Bytes(i));
  CHECK(h.size() == 900);
  CHECK(h.at(0) == Bytes(1999 - 900));
  CHECK(h.at(899) == Bytes(1998));
  h.add(at(std::chrono::hours(1000)), 1_B);
  CHECK(h.size() == 900);
  CHECK(h.at(0) == Bytes(1999));
  CHECK(h.at(899) == 0_B);
}

TEST_CASE("a second's bytes saturate instead of wrapping") {
  RateHistory h;
  h.add(at(0s), Bytes(3'000'000'000));
  h.add(at(0s), Bytes(3'000'000'000));
  h.add(at(1s), 0_B);
  CHECK(h.at(0) == Bytes(0xffffffff));
}

TEST_CASE("a steady rate above the media's starts with one second in hand, not with less") {
  const auto map = ByteTimeMap::linear(Bytes(2'400'000), 240s);  // 10 kB/s
  const RateHistory h = steady(30, Bytes(10'000));
  CHECK(starts(h, Bytes(10'000), map));
  CHECK_FALSE(starts(h, Bytes(9'999), map));
}

TEST_CASE("a steady rate of half the media's waits until half of the rest is in hand") {
  const auto map = ByteTimeMap::linear(Bytes(1'000'000), 100s);  // 10 kB/s
  const RateHistory h = steady(30, Bytes(5'000));
  // After k seconds 5 kB x (k - 1) have come and 10 kB x k are played: 505 kB at k = 100.
  CHECK(starts(h, Bytes(505'000), map));
  CHECK_FALSE(starts(h, Bytes(504'999), map));
  CHECK(starts(h, Bytes(255'000), map, 50s));
  CHECK_FALSE(starts(h, Bytes(254'999), map, 50s));
}

TEST_CASE("what is wholly in hand starts, whatever the record says") {
  const auto map = ByteTimeMap::linear(Bytes(1'000'000), 100s);
  CHECK(starts(RateHistory(), Bytes(1'000'000), map));
  CHECK_FALSE(starts(RateHistory(), Bytes(999'999), map));
  CHECK(starts(RateHistory(), Bytes(100'000), map, 90s));
  CHECK(starts(RateHistory(), 0_B, map, 100s));
  CHECK(starts(RateHistory(), 0_B, map, 200s));
}

TEST_CASE("too short a record does not start") {
  const auto map = ByteTimeMap::linear(Bytes(1'000'000), 100s);
  CHECK_FALSE(starts(steady(2, Bytes(900'000)), Bytes(500'000), map));
  CHECK(starts(steady(3, Bytes(900'000)), Bytes(500'000), map));
}

TEST_CASE("with an unknown rate a fixed amount is waited for") {
  CHECK(starts(RateHistory(), 512_KiB, ByteTimeMap()));
  CHECK_FALSE(starts(RateHistory(), 512_KiB - 1_B, ByteTimeMap()));
}

TEST_CASE("a rate that breaks off for spells needs more in hand than a steady one of equal mean") {
  const auto map = ByteTimeMap::linear(Bytes(3'000'000), 300s);
  RateHistory bursty;
  for (int i = 0; i <= 300; ++i) bursty.add(at(i * 1s), i / 15 % 2 ? 0_B : Bytes(30'000));
  CHECK(starts(steady(300, Bytes(15'000)), Bytes(20'000), map));
  CHECK_FALSE(starts(bursty, Bytes(20'000), map));
  CHECK(starts(bursty, Bytes(2'900'000), map));
}

TEST_CASE("the allowed failures are counted over all runs") {
  const auto map = ByteTimeMap::linear(Bytes(1'000'000), 100s);
  const RateHistory slow = steady(30, Bytes(1'000));
  Random random(1);
  StartRuleParams params;
  CHECK_FALSE(may_start(slow, Bytes(50'000), map, 0s, random, params));
  params.max_failures = 100;  // all of them
  CHECK(may_start(slow, Bytes(50'000), map, 0s, random, params));
  params.max_failures = 99;
  CHECK_FALSE(may_start(slow, Bytes(50'000), map, 0s, random, params));
}

TEST_CASE("only the horizon is looked at") {
  const auto map = ByteTimeMap::linear(Bytes(36'000'000), 3600s);  // 10 kB/s
  const RateHistory none = steady(30, 0_B);
  CHECK(starts(none, Bytes(9'000'000), map));  // 900 s
  CHECK_FALSE(starts(none, Bytes(8'999'999), map));
}

TEST_CASE("the same seed gives the same answer, and enough in hand always starts") {
  const auto map = ByteTimeMap::linear(Bytes(600'000), 60s);
  Random random(5);
  for (int round = 0; round < 20; ++round) {
    RateHistory h;
    for (int i = 0; i <= 60; ++i)
      h.add(at(i * 1s), Bytes(static_cast<std::int64_t>(random.below(25'000))));
    const std::uint64_t seed = random.next();
    bool before = false;
    for (std::int64_t ahead = 0; ahead <= 600'000; ahead += 20'000) {
      const bool now = starts(h, Bytes(ahead), map, 0s, seed);
      CHECK(now == starts(h, Bytes(ahead), map, 0s, seed));
      before = before || now;
    }
    CHECK(before);
  }
}

}  // namespace
}  // namespace tributary::core
