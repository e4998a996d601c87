#include "prefetch/prefetch_planner.h"

#include <doctest/doctest.h>

#include "engine/base/random.h"

namespace tributary::prefetch {
namespace {

constexpr TimePoint at(Duration since_origin) { return TimePoint(since_origin); }
using Stage = PrefetchStage;

// The current track is safe and playing, the next one known and its head wholly missing.
PrefetchSnapshot ready(Duration left) {
  PrefetchSnapshot s;
  s.now = at(1000s);
  s.left = left;
  s.current_safe = true;
  s.next_known = true;
  s.head_size = 300_KiB;
  s.head_missing = 300_KiB;
  return s;
}

TEST_CASE("Spotify's stages change at 30 s and 10 s left, to the microsecond") {
  struct Row {
    Duration left;
    Stage stage;
    Bytes budget;
    TimePoint next;
  };
  const Row rows[] = {
      {240s, Stage::kIdle, 0_B, at(1210s)},    {30s + 1us, Stage::kIdle, 0_B, at(1000s + 1us)},
      {30s, Stage::kPeers, 32_MiB, at(1020s)}, {10s + 1us, Stage::kPeers, 32_MiB, at(1000s + 1us)},
      {10s, Stage::kServer, 300_KiB, kNever},  {0s, Stage::kServer, 300_KiB, kNever},
      {-1s, Stage::kServer, 300_KiB, kNever},
  };
  for (const Row& row : rows) {
    CHECK(plan_prefetch(kSpotifyPrefetch, ready(row.left)) ==
          PrefetchPlan{row.stage, row.budget, row.next});
  }
}

TEST_CASE("nothing is prefetched before the current track is safe, nor without a next one") {
  for (const PrefetchParams& params : {kSpotifyPrefetch, kAdaptivePrefetch}) {
    for (Duration left : {100s, 20s, 5s}) {
      PrefetchSnapshot unsafe = ready(left);
      unsafe.current_safe = false;
      CHECK(plan_prefetch(params, unsafe) == PrefetchPlan{});
      PrefetchSnapshot skipped = ready(left);
      skipped.next_known = false;
      CHECK(plan_prefetch(params, skipped) == PrefetchPlan{});
    }
  }
}

TEST_CASE("a head that is secured needs no server, and the peers go on") {
  PrefetchSnapshot s = ready(20s);
  s.head_missing = 0_B;
  CHECK(plan_prefetch(kSpotifyPrefetch, s) == PrefetchPlan{Stage::kPeers, 32_MiB, kNever});
  s.left = 5s;
  CHECK(plan_prefetch(kSpotifyPrefetch, s) == PrefetchPlan{Stage::kPeers, 32_MiB, kNever});
}

TEST_CASE("while paused the server is not asked and time changes nothing") {
  PrefetchSnapshot s = ready(5s);
  s.paused = true;
  CHECK(plan_prefetch(kSpotifyPrefetch, s) == PrefetchPlan{Stage::kPeers, 32_MiB, kNever});
  s.left = 60s;
  CHECK(plan_prefetch(kSpotifyPrefetch, s) == PrefetchPlan{});
}

TEST_CASE("the adaptive set begins with the peers once the current track is complete") {
  PrefetchSnapshot s = ready(200s);
  CHECK(plan_prefetch(kAdaptivePrefetch, s) == PrefetchPlan{Stage::kIdle, 0_B, at(1170s)});
  s.current_complete = true;
  CHECK(plan_prefetch(kAdaptivePrefetch, s) == PrefetchPlan{Stage::kPeers, 32_MiB, at(1192s)});
  CHECK(plan_prefetch(kSpotifyPrefetch, s).stage == Stage::kIdle);
  s.left = 8s;
  CHECK(plan_prefetch(kAdaptivePrefetch, s) == PrefetchPlan{Stage::kServer, 300_KiB, kNever});
}

TEST_CASE("a metered network gets the head only, and late") {
  PrefetchParams adaptive = kAdaptivePrefetch;
  PrefetchParams spotify = kSpotifyPrefetch;
  adaptive.head_only = spotify.head_only = true;
  PrefetchSnapshot s = ready(200s);
  s.current_complete = true;
  CHECK(plan_prefetch(adaptive, s) == PrefetchPlan{Stage::kIdle, 0_B, at(1192s)});
  s.left = 20s;
  CHECK(plan_prefetch(spotify, s) == PrefetchPlan{Stage::kIdle, 0_B, at(1010s)});
  s.left = 10s;
  CHECK(plan_prefetch(spotify, s) == PrefetchPlan{Stage::kServer, 300_KiB, kNever});
  s.head_missing = 0_B;
  CHECK(plan_prefetch(spotify, s) == PrefetchPlan{});
}

TEST_CASE("the server's budget never exceeds the track's") {
  PrefetchParams params = kSpotifyPrefetch;
  params.budget = 100_KiB;
  CHECK(plan_prefetch(params, ready(5s)).budget == 100_KiB);
  CHECK(plan_prefetch(params, ready(20s)).budget == 100_KiB);
}

TEST_CASE("a server threshold above the peers' moves both") {
  PrefetchParams params = kSpotifyPrefetch;
  params.server_at = 60s;
  CHECK(plan_prefetch(params, ready(100s)) == PrefetchPlan{Stage::kIdle, 0_B, at(1040s)});
  CHECK(plan_prefetch(params, ready(60s)).stage == Stage::kServer);
}

TEST_CASE("the head is the first seconds of media, within the track and the budget") {
  const auto map = core::ByteTimeMap::linear(Bytes(1'000'000), 100s);
  CHECK(head_bytes(kSpotifyPrefetch, map) == Bytes(150'000));
  CHECK(head_bytes(kAdaptivePrefetch, map) == Bytes(50'000));
  CHECK(head_bytes(kSpotifyPrefetch, core::ByteTimeMap::linear(Bytes(1000), 3s)) == Bytes(1000));
  CHECK(head_bytes(kSpotifyPrefetch, core::ByteTimeMap()) == 512_KiB);
  CHECK(head_bytes(kSpotifyPrefetch, core::ByteTimeMap::linear(1000_B, 0s)) == 1000_B);
  PrefetchParams small = kSpotifyPrefetch;
  small.budget = 10_KiB;
  CHECK(head_bytes(small, map) == 10_KiB);
}

TEST_CASE("property: the plan holds until next_change and differs there") {
  Random random(6);
  for (int round = 0; round < 3000; ++round) {
    PrefetchParams params = random.chance(1, 2) ? kSpotifyPrefetch : kAdaptivePrefetch;
    params.head_only = random.chance(1, 4);
    PrefetchSnapshot s = ready(Duration(static_cast<std::int64_t>(random.below(60'000'000))));
    s.paused = random.chance(1, 5);
    s.current_safe = random.chance(4, 5);
    s.current_complete = random.chance(1, 2);
    if (random.chance(1, 3)) s.head_missing = 0_B;
    const PrefetchPlan plan = plan_prefetch(params, s);
    const auto later = [&](Duration passed) {
      PrefetchSnapshot then = s;
      then.now += passed;
      if (!s.paused) then.left -= passed;
      return plan_prefetch(params, then).stage;
    };
    if (plan.next_change == kNever) {
      CHECK(later(70s) == plan.stage);
    } else {
      CHECK(plan.next_change > s.now);
      CHECK(later(plan.next_change - s.now - 1us) == plan.stage);
      CHECK(later(plan.next_change - s.now) != plan.stage);
    }
  }
}

}  // namespace
}  // namespace tributary::prefetch
