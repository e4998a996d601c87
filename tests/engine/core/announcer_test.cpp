#include "engine/core/announcer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

namespace tributary::core {
namespace {

constexpr TimePoint at(Duration since_origin) { return TimePoint(since_origin); }
using Tiers = std::vector<std::vector<std::string>>;
using Urls = std::vector<std::string>;

AnnounceTask task(std::string url, AnnounceEvent event = AnnounceEvent::kNone) {
  return {std::move(url), event, event == AnnounceEvent::kStopped ? 0 : 50};
}

TEST_CASE("the first announce is due at once and says started; the next after the interval") {
  Announcer a({{"t"}}, Random(1));
  CHECK(a.next_deadline() <= at(0s));
  CHECK(a.poll(at(1s)) == task("t", AnnounceEvent::kStarted));
  CHECK_FALSE(a.poll(at(1s)));
  CHECK(a.next_deadline() == kNever);
  a.on_reply("t", 100s, 50s, at(2s));
  CHECK(a.next_deadline() == at(102s));
  CHECK_FALSE(a.poll(at(102s - 1us)));
  CHECK(a.poll(at(102s)) == task("t"));
}

TEST_CASE("a torrent without trackers never announces") {
  for (const Tiers& tiers : {Tiers{}, Tiers{{}}, Tiers{{""}}}) {
    Announcer a(tiers, Random(1));
    CHECK(a.next_deadline() == kNever);
    CHECK_FALSE(a.poll(at(0s)));
    a.on_reply("", 1s, 1s, at(0s));
    a.on_failure("", at(0s));
    a.on_completed();
    CHECK_FALSE(a.poll(at(1h)));
    CHECK(a.next_deadline() == kNever);
    a.stop();
    CHECK_FALSE(a.poll(at(1h)));
  }
}

TEST_CASE("each tier is shuffled within itself, the same way for the same seed") {
  const Tiers tiers{{"a", "b", "c", "d"}, {"e", "f"}};
  std::map<std::string, int> first;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Urls order = Announcer(tiers, Random(seed)).order();
    CHECK(order == Announcer(tiers, Random(seed)).order());
    ++first[order[0]];
    std::sort(order.begin(), order.begin() + 4);
    std::sort(order.begin() + 4, order.end());
    CHECK(order == Urls{"a", "b", "c", "d", "e", "f"});
  }
  for (const char* url : {"a", "b", "c", "d"}) CHECK(first[url] > 60);  // 100, sigma 9
}

TEST_CASE("repeated trackers and those beyond the limit are left out") {
  CHECK(Announcer({{"a", "a"}, {"a"}, {"b"}}, Random(1)).order() == Urls{"a", "b"});
  Tiers many(1);
  for (int i = 0; i < 200; ++i) many[0].push_back(std::to_string(i));
  CHECK(Announcer(many, Random(1)).order().size() == Announcer::kMaxTrackers);
}

TEST_CASE("a failure moves on to the next tracker at once, and the one that answers is promoted") {
  Announcer a({{"x"}, {"y", "z"}}, Random(1));
  const Urls before = a.order();
  CHECK(a.poll(at(0s)) == task("x", AnnounceEvent::kStarted));
  a.on_failure("x", at(1s));
  CHECK(a.poll(at(1s)) == task(before[1], AnnounceEvent::kStarted));
  a.on_failure(before[1], at(2s));
  CHECK(a.poll(at(2s)) == task(before[2], AnnounceEvent::kStarted));
  a.on_reply(before[2], 1800s, 60s, at(3s));
  CHECK(a.order() == Urls{"x", before[2], before[1]});
  // The next round begins with the first tier again (BEP 12).
  CHECK(a.poll(at(1803s)) == task("x", AnnounceEvent::kStarted));
  a.on_failure("x", at(1804s));
  CHECK(a.poll(at(1804s)) == task(before[2]));
}

TEST_CASE("a tracker that stays is asked again, though one of a tier before it may be well again") {
  Announcer a({{"x"}, {"y"}}, Random(1), {.stays = true});
  REQUIRE(a.poll(at(0s)) == task("x", AnnounceEvent::kStarted));
  a.on_failure("x", at(1s));
  REQUIRE(a.poll(at(1s)) == task("y", AnnounceEvent::kStarted));
  a.on_reply("y", 1800s, 60s, at(2s));
  CHECK(a.poll(at(1802s)) == task("y"));
  a.on_failure("y", at(1803s));
  CHECK(a.poll(at(1803s)) == task("x", AnnounceEvent::kStarted));
}

TEST_CASE("back-off doubles from 5 s to 30 min and starts anew after an answer") {
  Announcer a({{"t"}}, Random(1));
  TimePoint now{};
  for (Duration wait : {5s, 10s, 20s, 40s, 80s, 160s, 320s, 640s, 1280s, 1800s, 1800s}) {
    REQUIRE(a.poll(now));
    a.on_failure("t", now);
    CHECK(a.next_deadline() == now + wait);
    CHECK_FALSE(a.poll(now + wait - 1us));
    now += wait;
  }
  REQUIRE(a.poll(now));
  a.on_reply("t", 100s, 0s, now);
  now += 100s;
  REQUIRE(a.poll(now));
  a.on_failure("t", now);
  CHECK(a.next_deadline() == now + 5s);
}

TEST_CASE("a need of peers brings the announce forward to the min interval, not further") {
  Announcer a({{"t"}}, Random(1));
  a.set_need_peers(true);
  REQUIRE(a.poll(at(0s)));
  a.on_reply("t", 1800s, 300s, at(0s));
  CHECK(a.next_deadline() == at(300s));
  CHECK_FALSE(a.poll(at(299s)));
  a.set_need_peers(false);
  CHECK(a.next_deadline() == at(1800s));
  CHECK_FALSE(a.poll(at(400s)));
  a.set_need_peers(true);
  CHECK(a.poll(at(400s)) == task("t"));
}

TEST_CASE("intervals that are missing or unreasonable are replaced") {
  struct Row {
    Duration interval, min_interval, regular, early;
  };
  const Row rows[] = {
      {0s, 0s, 30min, 60s},
      {30s, 0s, 30s, 30s},
      {1s, 1s, 10s, 10s},
      {-5s, -5s, 30min, 60s},
      {60s, 120s, 120s, 120s},
      {std::chrono::hours(9999), 0s, std::chrono::hours(24), 60s},
      {Duration::max(), Duration::max(), std::chrono::hours(24), std::chrono::hours(24)},
  };
  for (const Row& row : rows) {
    Announcer a({{"t"}}, Random(1));
    REQUIRE(a.poll(at(0s)));
    a.on_reply("t", row.interval, row.min_interval, at(0s));
    CHECK(a.next_deadline() == at(row.regular));
    a.set_need_peers(true);
    CHECK(a.next_deadline() == at(row.early));
  }
}

TEST_CASE("completion is told at once, after the start, and until a tracker has heard it") {
  Announcer a({{"t"}}, Random(1));
  a.on_completed();
  CHECK(a.poll(at(0s)) == task("t", AnnounceEvent::kStarted));
  a.on_reply("t", 1800s, 900s, at(1s));
  CHECK(a.poll(at(1s)) == task("t", AnnounceEvent::kCompleted));
  a.on_failure("t", at(2s));
  CHECK(a.next_deadline() == at(7s));
  CHECK(a.poll(at(7s)) == task("t", AnnounceEvent::kCompleted));
  a.on_reply("t", 1800s, 900s, at(8s));
  CHECK(a.next_deadline() == at(1808s));
  CHECK(a.poll(at(1808s)) == task("t"));
}

TEST_CASE("stop says farewell once to every tracker that may list us, and nothing after that") {
  Announcer a({{"x"}, {"y"}, {"z"}}, Random(1));
  REQUIRE(a.poll(at(0s)));
  a.on_failure("x", at(0s));
  REQUIRE(a.poll(at(0s)));  // y is being asked
  a.stop();
  CHECK(a.next_deadline() <= at(0s));
  CHECK(a.poll(at(0s)) == task("x", AnnounceEvent::kStopped));
  CHECK(a.poll(at(0s)) == task("y", AnnounceEvent::kStopped));
  CHECK_FALSE(a.poll(at(0s)));
  CHECK(a.next_deadline() == kNever);
  a.on_reply("y", 1s, 1s, at(1s));
  a.on_failure("x", at(1s));
  CHECK_FALSE(a.poll(at(10h)));
}

TEST_CASE("answers that nobody waits for change nothing") {
  Announcer a({{"t"}}, Random(1));
  a.on_reply("t", 100s, 0s, at(0s));
  a.on_failure("t", at(0s));
  REQUIRE(a.poll(at(0s)));
  a.on_reply("other", 100s, 0s, at(0s));
  CHECK(a.next_deadline() == kNever);
  a.on_reply("t", 100s, 0s, at(0s));
  a.on_failure("t", at(50s));
  CHECK(a.next_deadline() == at(100s));
}

TEST_CASE("property: the deadline is when poll gives something, never before") {
  Random random(9);
  for (int round = 0; round < 100; ++round) {
    Announcer a({{"a", "b"}, {"c"}}, Random(random.next()));
    TimePoint now{};
    for (int step = 0; step < 100; ++step) {
      a.set_need_peers(random.chance(1, 2));
      if (random.chance(1, 20)) a.on_completed();
      const TimePoint due = a.next_deadline();
      REQUIRE(due != kNever);
      if (due > now) {
        CHECK_FALSE(a.poll(due - 1us));
        now = due;
      }
      const auto asked = a.poll(now);
      REQUIRE(asked);
      CHECK_FALSE(a.poll(now + 1h));
      if (random.chance(1, 2)) {
        a.on_failure(asked->tracker, now);
      } else {
        a.on_reply(asked->tracker, Duration(static_cast<std::int64_t>(random.below(4'000'000'000))),
                   0s, now);
      }
    }
  }
}

}  // namespace
}  // namespace tributary::core
