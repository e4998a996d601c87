#include "engine/core/byte_time_map.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "engine/base/random.h"

namespace tributary::core {
namespace {

TEST_CASE("nothing known: every byte is due at once") {
  for (const ByteTimeMap& map :
       {ByteTimeMap(), ByteTimeMap::linear(100_B, 0s), ByteTimeMap::linear(100_B, -1s),
        ByteTimeMap::linear(0_B, 10s), ByteTimeMap::linear(Bytes(-5), 10s)}) {
    CHECK_FALSE(map.known());
    CHECK(map.size() >= 0_B);
    CHECK(map.duration() == 0s);
    CHECK(map.bit_rate() == BitRate());
    CHECK(map.time_at(50_B) == 0s);
    CHECK(map.offset_at(5s) == 0_B);
  }
}

TEST_CASE("a constant rate maps in proportion and keeps within the file") {
  const auto map = ByteTimeMap::linear(1000_B, 10s);
  CHECK(map.bit_rate() == BitRate(800));
  CHECK(map.time_at(Bytes(-1)) == 0s);
  CHECK(map.time_at(0_B) == 0s);
  CHECK(map.time_at(1_B) == 10ms);
  CHECK(map.time_at(500_B) == 5s);
  CHECK(map.time_at(1000_B) == 10s);
  CHECK(map.time_at(5000_B) == 10s);
  CHECK(map.offset_at(-1s) == 0_B);
  CHECK(map.offset_at(0s) == 0_B);
  CHECK(map.offset_at(1us) == 1_B);
  CHECK(map.offset_at(10ms) == 1_B);
  CHECK(map.offset_at(10001us) == 2_B);
  CHECK(map.offset_at(10s) == 1000_B);
  CHECK(map.offset_at(1h) == 1000_B);
}

TEST_CASE("headers before the first point are due at time zero") {
  const auto map = ByteTimeMap::from_points(1000_B, 10s, {{0s, 200_B}});
  CHECK(map.time_at(0_B) == 0s);
  CHECK(map.time_at(200_B) == 0s);
  CHECK(map.time_at(600_B) == 5s);
  CHECK(map.offset_at(0s) == 0_B);
  CHECK(map.offset_at(5s) == 600_B);
}

TEST_CASE("a page ends where the next known one begins, if that is near") {
  const auto map = ByteTimeMap::from_points(1000_B, 10s, {{2s, 800_B}, {6s, 900_B}});
  CHECK(map.page_at(1900ms, 250ms) == 800_B);
  CHECK(map.page_at(1750ms, 250ms) == 800_B);
  CHECK(map.page_at(2s, 250ms) == 800_B);
  CHECK(map.page_at(2001ms, 250ms) == map.offset_at(2001ms));
  CHECK(map.page_at(1s, 250ms) == 400_B);
  CHECK(map.page_at(9900ms, 250ms) == 1000_B);
  CHECK(map.page_at(11s, 250ms) == 1000_B);
  CHECK(map.page_at(-1s, 250ms) == 0_B);
  CHECK(ByteTimeMap().page_at(1s, 250ms) == 0_B);
}

TEST_CASE("between points time is linear in bytes") {
  const auto map = ByteTimeMap::from_points(1000_B, 10s, {{2s, 800_B}, {6s, 900_B}});
  CHECK(map.time_at(400_B) == 1s);
  CHECK(map.time_at(800_B) == 2s);
  CHECK(map.time_at(850_B) == 4s);
  CHECK(map.time_at(950_B) == 8s);
  CHECK(map.offset_at(1s) == 400_B);
  CHECK(map.offset_at(4s) == 850_B);
}

TEST_CASE("points of any order and honesty give the same sound curve") {
  const std::vector<TimeHint> lying = {{6s, 900_B},  {2s, 800_B}, {2s, 850_B},  {-1s, 10_B},
                                       {11s, 950_B}, {3s, 100_B}, {4s, 1000_B}, {5s, Bytes(-7)},
                                       {10s, 990_B}, {6s, 900_B}};
  const auto map = ByteTimeMap::from_points(1000_B, 10s, lying);
  const auto sound = ByteTimeMap::from_points(1000_B, 10s, {{2s, 800_B}, {6s, 900_B}});
  for (std::int64_t o = 0; o <= 1000; ++o) CHECK(map.time_at(Bytes(o)) == sound.time_at(Bytes(o)));
}

TEST_CASE("the order in which points are given does not matter") {
  Random random(2);
  std::vector<TimeHint> points;
  for (int i = 0; i < 30; ++i) {
    points.push_back({Duration(static_cast<std::int64_t>(random.below(6)) * 1'000'000),
                      Bytes(static_cast<std::int64_t>(random.below(1000)))});
  }
  const auto map = ByteTimeMap::from_points(1000_B, 10s, points);
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = points.size(); i > 1; --i) {
      std::swap(points[i - 1], points[random.below(i)]);
    }
    const auto other = ByteTimeMap::from_points(1000_B, 10s, points);
    for (std::int64_t o = 0; o <= 1000; o += 7) {
      CHECK(map.time_at(Bytes(o)) == other.time_at(Bytes(o)));
    }
  }
}

TEST_CASE("the largest files and durations do not overflow") {
  const Bytes size(std::int64_t{1} << 60);
  const Duration day = std::chrono::hours(24 * 365);
  const auto map = ByteTimeMap::linear(size, day);
  CHECK(map.time_at(size / 2) == day / 2);
  CHECK(map.offset_at(day / 2) == size / 2);
}

TEST_CASE("property: monotone, within bounds, and offset_at is the first byte due then or later") {
  Random random(4);
  for (int round = 0; round < 300; ++round) {
    const std::int64_t size = 1 + static_cast<std::int64_t>(random.below(400));
    const Duration duration(1 + static_cast<std::int64_t>(random.below(400)));
    std::vector<TimeHint> points;
    for (std::uint64_t n = random.below(8); n > 0; --n) {
      points.push_back({Duration(static_cast<std::int64_t>(random.below(420)) - 10),
                        Bytes(static_cast<std::int64_t>(random.below(420)) - 10)});
    }
    const auto map = ByteTimeMap::from_points(Bytes(size), duration, points);
    std::vector<Duration> due;
    for (std::int64_t o = 0; o <= size; ++o) due.push_back(map.time_at(Bytes(o)));
    CHECK(std::is_sorted(due.begin(), due.end()));
    CHECK(due.front() == 0us);
    CHECK(due.back() == duration);
    for (Duration t{}; t <= duration; t += 1us) {
      const auto first = std::lower_bound(due.begin(), due.end(), t) - due.begin();
      CHECK(map.offset_at(t) == Bytes(first));
    }
  }
}

}  // namespace
}  // namespace tributary::core
