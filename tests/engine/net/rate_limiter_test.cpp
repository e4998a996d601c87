#include "engine/net/rate_limiter.h"

#include <doctest/doctest.h>

#include "engine/base/random.h"

namespace tributary::net {
namespace {

constexpr TimePoint at(Duration d) { return TimePoint(1000s + d); }

TEST_CASE("a bucket starts full, passes its burst and then waits for the rate") {
  TokenBucket bucket(8_kbps, 2000_B);  // 1000 bytes a second
  CHECK(bucket.available(at(0s)) == 2000_B);
  bucket.take(2000_B, at(0s));
  CHECK_FALSE(bucket.may_take(at(0s)));
  CHECK(bucket.ready_at(at(0s)) == at(1ms));
  CHECK(bucket.available(at(500ms)) == 500_B);
  CHECK(bucket.available(at(60s)) == 2000_B);  // idle time does not pile up
}

TEST_CASE("an overdraft passes at once and is waited for afterwards") {
  TokenBucket bucket(8_kbps, 1000_B);
  bucket.take(3000_B, at(0s));
  CHECK(bucket.available(at(0s)) == Bytes(-2000));
  CHECK(bucket.ready_at(at(0s)) == at(2001ms));
  CHECK_FALSE(bucket.may_take(at(2s)));
  CHECK(bucket.may_take(at(2001ms)));
}

TEST_CASE("ready_at is the first microsecond at which a byte may be taken") {
  TokenBucket bucket(BitRate(3), 100_B);  // a rate that divides nothing evenly
  bucket.take(100_B, at(0s));
  const TimePoint ready = bucket.ready_at(at(0s));
  CHECK_FALSE(TokenBucket(bucket).may_take(ready - 1us));
  CHECK(bucket.may_take(ready));
}

TEST_CASE("the bytes taken never exceed burst, rate and one unit, whatever the steps") {
  Random random(7);
  for (int round = 0; round < 50; ++round) {
    const BitRate rate(static_cast<std::int64_t>(random.below(50'000'000)) + 1);
    TokenBucket bucket(rate, 64_KiB);
    Bytes taken;
    Duration elapsed{};
    for (int step = 0; step < 2000; ++step) {
      elapsed += Duration(static_cast<std::int64_t>(random.below(3000)));
      if (!bucket.may_take(at(elapsed))) continue;
      bucket.take(16_KiB, at(elapsed));
      taken += 16_KiB;
    }
    CHECK(taken <= 64_KiB + bytes_in(elapsed, rate) + 16_KiB);
  }
}

TEST_CASE("a steady taker gets the whole rate without rounding loss") {
  TokenBucket bucket(BitRate(999'983), 64_KiB);
  Bytes taken;
  TimePoint now = at(0s);
  while (now < at(1000s)) {
    now = bucket.ready_at(now);
    bucket.take(1000_B, now);
    taken += 1000_B;
  }
  CHECK(taken >= bytes_in(1000s, BitRate(999'983)));
}

TEST_CASE("an unlimited bucket never waits and a bucket of rate zero never recovers") {
  TokenBucket open;
  open.take(Bytes(1'000'000'000), at(0s));
  CHECK(open.may_take(at(0s)));
  CHECK(open.unlimited());
  TokenBucket shut(BitRate(), 10_B);
  shut.take(10_B, at(0s));
  CHECK(shut.ready_at(at(0s)) == kNever);
  CHECK_FALSE(shut.may_take(at(100000s)));
}

TEST_CASE("a child is held back by the emptier of itself and its parent") {
  TokenBucket global(80_kbps, 1000_B);
  TokenBucket a(kUnlimited, 1000_B, &global);
  TokenBucket b(8_kbps, 500_B, &global);
  CHECK_FALSE(a.unlimited());
  a.take(1000_B, at(0s));
  CHECK_FALSE(b.may_take(at(0s)));  // a spent what they share
  CHECK(b.available(at(1s)) == 500_B);
  b.take(500_B, at(1s));
  CHECK(a.available(at(1s)) == 500_B);
  CHECK_FALSE(b.may_take(at(1s)));
  CHECK(b.ready_at(at(1s)) == at(1001ms));
}

TEST_CASE("a new rate applies from the moment it is set") {
  TokenBucket bucket(8_kbps, 1000_B);
  bucket.take(1000_B, at(0s));
  bucket.set_rate(80_kbps, at(100ms));
  CHECK(bucket.available(at(100ms)) == 100_B);
  CHECK(bucket.available(at(150ms)) == 600_B);
}

}  // namespace
}  // namespace tributary::net
