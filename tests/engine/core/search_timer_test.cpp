#include "engine/core/search_timer.h"

#include <doctest/doctest.h>

#include <vector>

namespace tributary::core {
namespace {

constexpr SearchPace kPace{.regular = 15min, .first = 10s, .early = 60s};

// When it searches up to `end`, from its last search on.
std::vector<Duration> searches(SearchTimer& timer, Duration end) {
  std::vector<Duration> all;
  while (timer.next_deadline() <= TimePoint(end)) {
    const TimePoint now = timer.next_deadline();
    REQUIRE(timer.poll(now));
    all.push_back(now.time_since_epoch());
  }
  return all;
}

TEST_CASE("nothing is searched before the start, and once a regular interval after it") {
  SearchTimer timer(kPace);
  CHECK_FALSE(timer.poll(TimePoint(24h)));
  timer.start(TimePoint(1s));
  CHECK(searches(timer, 35min) == std::vector<Duration>{1s, 15min + 1s, 30min + 1s});
}

TEST_CASE("who needs peers searches soon again, then ever later") {
  SearchTimer timer(kPace);
  timer.start(TimePoint(0s));
  timer.set_need_peers(true);
  CHECK(searches(timer, 200s) == std::vector<Duration>{0s, 10s, 30s, 70s, 130s, 190s});
}

TEST_CASE("who has had enough and needs peers again searches soon again") {
  SearchTimer timer(kPace);
  timer.start(TimePoint(0s));
  timer.set_need_peers(true);
  CHECK(searches(timer, 100s) == std::vector<Duration>{0s, 10s, 30s, 70s});
  timer.set_need_peers(false);
  CHECK(timer.next_deadline() == TimePoint(70s + 15min));
  timer.set_need_peers(true);
  CHECK(searches(timer, 150s) == std::vector<Duration>{130s, 140s});
}

}  // namespace
}  // namespace tributary::core
