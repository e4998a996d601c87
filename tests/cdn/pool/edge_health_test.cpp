#include "cdn/pool/edge_health.h"

#include <doctest/doctest.h>

namespace tributary::cdn {
namespace {

constexpr TimePoint at(Duration since_start) { return TimePoint(since_start); }

TEST_CASE("the prior counts as one value until there are four") {
  Window window(300);
  CHECK(window.quantile(95) == 300);
  for (int i = 0; i < 3; ++i) window.add(20);
  CHECK(window.quantile(95) == 300);
  window.add(20);
  CHECK(window.quantile(95) == 20);
}

TEST_CASE("quantiles are of the last 32 values") {
  Window window(0);
  for (int i = 1; i <= 100; ++i) window.add(i);  // 69…100 remain
  CHECK(window.quantile(95) == 99);
  CHECK(window.quantile(10) == 72);
  CHECK(window.quantile(100) == 100);
}

TEST_CASE("bursts too short to measure do not count as a rate") {
  EdgeHealth health({});
  health.on_body(16_KiB, 2ms);
  health.on_body(1_MiB, 10us);
  CHECK(!health.rate_measured());
  health.on_body(125'000_B, 1s);
  CHECK(health.rate_mean() == 1_Mbps);
  health.on_body(250'000_B, 1s);
  CHECK(health.rate_mean() == BitRate(1'250'000));
}

TEST_CASE("the pause doubles with each failure, within its jitter and bound") {
  EdgeHealth health({});
  Random random(1);
  TimePoint now = at(1s);
  Duration full = 500ms;
  for (int i = 0; i < 12; ++i) {
    health.on_failure(now, now, Duration::zero(), random);
    const Duration pause = health.retry_at() - now;
    CHECK(pause >= full / 2);
    CHECK(pause <= full);
    full = std::min(full * 2, Duration(60s));
    CHECK(!health.usable(health.retry_at() - 1us));
    CHECK(health.usable(health.retry_at()));
    now = health.retry_at();
  }
  CHECK(health.probing());
  health.on_success();
  CHECK(health.usable(now));
  CHECK(!health.probing());
}

TEST_CASE("a server's own wish to be left alone is kept") {
  EdgeHealth health({});
  Random random(1);
  health.on_failure(at(1s), at(1s), 30s, random);
  CHECK(health.retry_at() == at(31s));
}

TEST_CASE("requests that fail together are one failure") {
  EdgeHealth health({});
  Random random(1);
  for (int i = 0; i < 4; ++i) health.on_failure(at(1s), at(2s) + i * 1ms, 0s, random);
  CHECK(health.failures_in_row() == 1);
  CHECK(health.retry_at() <= at(2500ms));
}

}  // namespace
}  // namespace tributary::cdn
