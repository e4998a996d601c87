#include "engine/sim/load_plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <vector>

namespace tributary::sim {
namespace {

constexpr std::int64_t kPercent = kWhole / 100;

Workload small() {
  Workload w;
  w.listeners = 40;
  w.length = 2h;
  w.tracks = 100;
  w.track_length.points = {{kWhole, 4min}};
  w.session.points = {{kWhole, 30min}};
  w.pause.points = {{kWhole, 20min}};
  w.chosen = 39 * kPercent;
  w.skipped_after.points = {{kWhole, 30s}};
  w.arrivals = 10min;
  w.links.emplace_back();
  return w;
}

std::int64_t count(const LoadPlan& plan, LoadEvent::Action action) {
  return std::count_if(plan.events.begin(), plan.events.end(),
                       [action](const LoadEvent& e) { return e.action == action; });
}

TEST_CASE("quantiles are drawn between their points") {
  const Quantiles q{{{50 * kPercent, 10s}, {kWhole, 110s}}};
  Random random(1);
  int low = 0;
  Duration sum{};
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    const Duration drawn = q.draw(random);
    REQUIRE(drawn >= 10s);
    REQUIRE(drawn < 110s);
    if (drawn == 10s) ++low;
    sum += drawn;
  }
  CHECK(low > kDraws * 48 / 100);
  CHECK(low < kDraws * 52 / 100);
  CHECK(sum / kDraws > 34s);  // half of 10 s, half of 60 s in the mean
  CHECK(sum / kDraws < 36s);
}

TEST_CASE("88 % of accesses go to 12 % of the tracks where the popularity says so") {
  const Popularity popularity{{{12 * kPercent, 88 * kPercent}, {kWhole, kWhole}}};
  Random random(1);
  int popular = 0;
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    const std::int32_t track = popularity.draw(random, 1000);
    REQUIRE(track >= 0);
    REQUIRE(track < 1000);
    if (track < 120) ++popular;
  }
  CHECK(popular > kDraws * 87 / 100);
  CHECK(popular < kDraws * 89 / 100);
}

TEST_CASE("a catalogue smaller than its parts is drawn from all the same") {
  const Popularity popularity{{{kPercent, 50 * kPercent}, {kWhole, kWhole}}};
  Random random(1);
  for (int i = 0; i < 100; ++i) CHECK(popularity.draw(random, 1) == 0);
}

TEST_CASE("a plan is in order, within its time, and the same each time") {
  const LoadPlan plan = make_plan(small(), 7);
  CHECK(std::is_sorted(plan.events.begin(), plan.events.end(),
                       [](const LoadEvent& a, const LoadEvent& b) { return a.at < b.at; }));
  for (const LoadEvent& event : plan.events) CHECK(event.at < TimePoint(2h));
  const LoadPlan again = make_plan(small(), 7);
  REQUIRE(again.events.size() == plan.events.size());
  for (std::size_t i = 0; i < plan.events.size(); ++i) {
    CHECK(again.events[i].at == plan.events[i].at);
    CHECK(again.events[i].track == plan.events[i].track);
  }
  CHECK(make_plan(small(), 8).events.size() != plan.events.size());
}

TEST_CASE("who stays for longer than the test is drawn no further than to its end") {
  Workload w = small();
  w.session.points = {{kWhole, 3h}};
  const LoadPlan plan = make_plan(w, 7);
  w.session.points = {{kWhole, 1'000'000'000h}};
  const LoadPlan endless = make_plan(w, 7);
  REQUIRE(endless.events.size() == plan.events.size());
  for (std::size_t i = 0; i < plan.events.size(); ++i) {
    CHECK(endless.events[i].at == plan.events[i].at);
    CHECK(endless.events[i].track == plan.events[i].track);
  }
}

TEST_CASE("so many starts are chosen as the workload says, the others follow") {
  Workload w = small();
  w.session.points = {{kWhole, 100h}};
  const LoadPlan plan = make_plan(w, 1);
  const std::int64_t plays =
      count(plan, LoadEvent::Action::kPlay) - w.listeners;  // the first of each
  const std::int64_t nexts = count(plan, LoadEvent::Action::kNext);
  CHECK(plays * 100 / (plays + nexts) >= 34);
  CHECK(plays * 100 / (plays + nexts) <= 44);
  CHECK(count(plan, LoadEvent::Action::kJoin) == w.listeners);
}

TEST_CASE("who skips goes on to what follows, or to what is chosen") {
  Workload w = small();
  w.skipped = kWhole;
  w.chosen = 0;
  const LoadPlan plan = make_plan(w, 1);
  CHECK(count(plan, LoadEvent::Action::kSkip) > 0);
  w.chosen = kWhole;
  CHECK(count(make_plan(w, 1), LoadEvent::Action::kSkip) == 0);
}

TEST_CASE("a trace's events are the plan's, and its tracks are ranked by their plays") {
  using Action = LoadEvent::Action;
  LoadTrace trace{2,
                  3,
                  {{TimePoint(0s), 0, Action::kJoin, -1},
                   {TimePoint(0s), 0, Action::kPlay, 0},
                   {TimePoint(5s), 1, Action::kPlay, 2},
                   {TimePoint(9s), 0, Action::kPlay, 2},
                   {TimePoint(3h), 0, Action::kLeave, -1}}};
  const LoadPlan plan = make_plan(small(), trace, 1);
  CHECK(plan.listeners.size() == 2);
  CHECK(plan.events.size() == 4);  // the last is beyond the end
  CHECK(plan.tracks[2].rank == 0);
  CHECK(plan.tracks[0].rank == 1);
  CHECK(plan.tracks[1].rank == 2);
}

std::vector<LoadEvent> of_link(const LoadPlan& plan, std::int32_t listener) {
  std::vector<LoadEvent> events;
  std::copy_if(plan.events.begin(), plan.events.end(), std::back_inserter(events),
               [listener](const LoadEvent& e) {
                 return e.action == LoadEvent::Action::kLink && e.listener == listener;
               });
  return events;
}

TEST_CASE("a link's rates swing within their bounds, and drop to nothing for as long as told") {
  Workload w = small();
  w.links[0].weather = {{{{kWhole, 20s}}}, 25 * kPercent, {{{kWhole, 10min}}}, {{{kWhole, 15s}}}};
  const LoadPlan plan = make_plan(w, 1);
  for (std::int32_t i = 0; i < w.listeners; ++i) {
    const std::vector<LoadEvent> events = of_link(plan, i);
    CHECK(events.size() >= 340);  // two hours of 20 s, but for drop-outs
    std::optional<TimePoint> out;
    int outages = 0;
    for (const LoadEvent& event : events) {
      if (event.part != 0) {
        CHECK(event.part >= 25 * kPercent);
        CHECK(event.part <= kWhole);
      }
      if (out) {
        CHECK(event.at - *out == 15s);
        ++outages;
      }
      out = event.part == 0 ? std::optional(event.at) : std::nullopt;
    }
    CHECK(outages >= 10);
    CHECK(outages <= 12);
  }
}

TEST_CASE("the weather changes nothing of what is heard") {
  Workload w = small();
  const LoadPlan calm = make_plan(w, 7);
  w.links[0].weather = {{{{kWhole, 20s}}}, 25 * kPercent, {}, {}};
  LoadPlan swinging = make_plan(w, 7);
  CHECK(swinging.events.size() > calm.events.size());
  std::erase_if(swinging.events,
                [](const LoadEvent& e) { return e.action == LoadEvent::Action::kLink; });
  REQUIRE(swinging.events.size() == calm.events.size());
  for (std::size_t i = 0; i < calm.events.size(); ++i) {
    CHECK(swinging.events[i].at == calm.events[i].at);
    CHECK(swinging.events[i].track == calm.events[i].track);
  }
}

TEST_CASE("each operator has as many listeners") {
  Workload w = small();
  w.operators = 4;
  std::vector<int> of_operator(4);
  for (const LoadListener& listener : make_plan(w, 1).listeners) {
    ++of_operator[static_cast<std::size_t>(listener.of_operator)];
  }
  CHECK(of_operator == std::vector<int>{10, 10, 10, 10});
}

TEST_CASE("a class of no weight has no listener") {
  Workload w = small();
  w.links[0].weight = 0;
  w.links.emplace_back();
  for (const LoadListener& listener : make_plan(w, 1).listeners) CHECK(listener.link == 1);
}

TEST_CASE("a cache holds each track once") {
  Workload w = small();
  w.tracks = 5;
  w.cached = 50;
  for (const LoadListener& listener : make_plan(w, 1).listeners) {
    std::vector<std::int32_t> cached = listener.cached;
    std::sort(cached.begin(), cached.end());
    CHECK(std::adjacent_find(cached.begin(), cached.end()) == cached.end());
    CHECK_FALSE(cached.empty());
  }
}

}  // namespace
}  // namespace tributary::sim
