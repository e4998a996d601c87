#include "engine/core/estimator.h"

#include <doctest/doctest.h>

#include "engine/core/ids.h"

namespace tributary::core {
namespace {

constexpr TimePoint at(Duration time) { return TimePoint(time); }
// A block a second, and the microsecond by which transfer times are rounded up.
constexpr BitRate kBlockASecond{kBlockSize.count() * 8};
constexpr Duration kAssumedBlock = 1s + 1us;

// Two blocks of 100 ms each, asked for together at zero; idle since 200 ms.
CompletionEstimator steady() {
  CompletionEstimator e;
  e.on_request(at(0s), 1);
  e.on_request(at(0s), 2);
  e.on_block(at(100ms), at(0s), 1);
  e.on_block(at(200ms), at(0s), 0);
  return e;
}

TEST_CASE("the first sample is the mean and half of it the deviation; later ones move both") {
  SmoothedDuration d;
  CHECK_FALSE(d.measured());
  d.add(100ms);
  CHECK(d.measured());
  CHECK(d.mean() == 100ms);
  CHECK(d.deviation() == 50ms);
  d.add(100ms);
  CHECK(d.mean() == 100ms);
  CHECK(d.deviation() == 37500us);  // a quarter of the way to no error
  d.add(180ms);
  CHECK(d.mean() == 110ms);         // an eighth of the way
  CHECK(d.deviation() == 48125us);  // 37.5 + (80 - 37.5) / 4
}

TEST_CASE("samples below the mean spread it as much as those above") {
  SmoothedDuration d;
  d.add(100ms);
  d.add(20ms);
  CHECK(d.mean() == 90ms);
  CHECK(d.deviation() == 57500us);  // 50 + (80 - 50) / 4
}

TEST_CASE("a steady sequence loses its spread and keeps its mean") {
  SmoothedDuration d;
  for (int i = 0; i < 100; ++i) d.add(80ms);
  CHECK(d.mean() == 80ms);
  CHECK(d.deviation() < 10us);
}

TEST_CASE(
    "of whom nothing was measured the assumed rate is taken, or the silence if it is longer") {
  CompletionEstimator e;
  CHECK_FALSE(e.measured());
  CHECK(e.expected_finish(at(2s), 3, 0, kBlockASecond) == at(2s + 3 * kAssumedBlock));
  e.on_request(at(2s), 1);
  CHECK(e.expected_finish(at(2500ms), 3, 1, kBlockASecond) == at(2500ms + 3 * kAssumedBlock));
  CHECK(e.expected_finish(at(7s), 3, 1, kBlockASecond) == at(7s + 3 * 5s));
}

TEST_CASE("an idle peer's first block tells its latency, those behind it its rate") {
  CompletionEstimator e;
  for (int n = 1; n <= 3; ++n) e.on_request(at(0s), n);
  e.on_block(at(300ms), at(0s), 2);
  CHECK(e.measured());
  CHECK(e.latency() == 300ms);
  CHECK(e.per_block() == 300ms);  // better than nothing
  e.on_block(at(380ms), at(0s), 1);
  CHECK(e.latency() == 300ms);
  CHECK(e.per_block() == 272500us);  // 300 - 220 / 8
}

TEST_CASE("the round trip of a later burst is not taken for slowness") {
  CompletionEstimator e = steady();
  e.on_request(at(10s), 1);
  e.on_request(at(10s), 2);
  e.on_block(at(10900ms), at(10s), 1);
  CHECK(e.per_block() == 100ms);
  CHECK(e.latency() == 200ms);  // 100 + (900 - 100) / 8
  e.on_block(at(11s), at(10s), 0);
  CHECK(e.per_block() == 100ms);
}

TEST_CASE("a block that is asked for alone counts whole, round trip and all") {
  CompletionEstimator e = steady();
  e.on_request(at(10s), 1);
  e.on_block(at(10900ms), at(10s), 0);
  CHECK(e.per_block() == 200ms);
}

TEST_CASE("a block that overtakes others is timed from its own request") {
  CompletionEstimator e;
  e.on_request(at(0s), 1);
  e.on_request(at(0s), 2);
  e.on_block(at(100ms), at(0s), 1);
  e.on_request(at(500ms), 2);
  e.on_block(at(600ms), at(500ms), 1);
  CHECK(e.per_block() == 100ms);
}

TEST_CASE("idle peers are expected after their latency, a queue after all that is before it") {
  CompletionEstimator e = steady();
  // 100 ms latency, 100 ms a block, deviation 37.5 ms.
  CHECK(e.expected_finish(at(1s), 1, 0, kBlockASecond) == at(1s + 100ms + 100ms + 75ms));
  e.on_request(at(1s), 1);
  CHECK(e.expected_finish(at(1s), 1, 1, kBlockASecond) == at(1s + 100ms + 75ms));
  CHECK(e.expected_finish(at(1s), 5, 4, kBlockASecond) == at(1s + 500ms + 75ms));
}

TEST_CASE("a peer that falls silent is expected later and later") {
  CompletionEstimator e = steady();
  e.on_request(at(1s), 1);
  CHECK(e.expected_finish(at(1200ms), 2, 1, kBlockASecond) == at(1200ms + 200ms + 75ms));
  // Silent for two seconds, a block counts for one.
  CHECK(e.expected_finish(at(3s), 2, 1, kBlockASecond) == at(3s + 2s + 75ms));
  // Idle, its silence says nothing.
  CHECK(e.expected_finish(at(3s), 2, 0, kBlockASecond) == at(3s + 100ms + 200ms + 75ms));
}

}  // namespace
}  // namespace tributary::core
