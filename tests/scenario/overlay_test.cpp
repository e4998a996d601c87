// What asking the peers of one track for the next brings, what it costs, and where it is silent.
#include <doctest/doctest.h>

#include "tests/scenario/cast/overlays.h"

namespace tributary::sim {
namespace {

// Messages of one query at most, whatever the swarm.
constexpr auto kMostQueries =
    static_cast<std::int64_t>(core::kMaxOverlayAsked * (1 + core::kMaxOverlayForwards));

TEST_CASE("peers of the next track are found before its tracker answers, late or never") {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    for (const NamedOverlay& each : all_overlays()) {
      if (each.name == "overlay_crowd") continue;
      OverlayPlan plan = each.plan;
      plan.seed = seed;
      const OverlayReport report = listeners_of_two(each.name, plan);
      MESSAGE(report.line());
      CHECK(report.prefetches == plan.listeners);
      CHECK(report.all.unfinished == 0);
      CHECK(report.all.stalls == 0);
      // The first listener has nobody to ask for what nobody has.
      CHECK(report.had_peer >= (plan.overlay ? plan.listeners - 2 : 0));
      CHECK(report.had_block >= (plan.overlay ? plan.listeners - 4 : 0));
      CHECK(report.had_peer <= (plan.overlay ? plan.listeners : 0));
      CHECK(report.most_queries <= kMostQueries);
      CHECK(report.bytes <= 6_KiB * report.counts.asked);
      // Between honest nodes nobody asks too much, nor answers what he was not asked.
      CHECK(report.counts.refused == 0);
      CHECK(report.counts.unasked == 0);
    }
  }
}

TEST_CASE(
    "a flood keeps to its caps among fifty who all know each other, and what comes twice ends") {
  const OverlayReport report = listeners_of_two("crowd", all_overlays()[3].plan);
  MESSAGE(report.line());
  CHECK(report.counts.asked >= 50);
  CHECK(report.most_queries > static_cast<std::int64_t>(core::kMaxOverlayAsked));
  CHECK(report.most_queries <= kMostQueries);
  CHECK(report.queries <= kMostQueries * report.counts.asked);
  CHECK(report.counts.duplicates > 0);
  CHECK(report.counts.refused == 0);
  CHECK(report.all.unfinished == 0);
  CHECK(report.all.stalls == 0);
}

TEST_CASE("private torrents send no queries, neither for them nor over them") {
  for (const bool first : {false, true}) {
    OverlayPlan plan;
    plan.listeners = 8;
    plan.first_private = first;
    plan.second_private = !first;
    const OverlayReport report = listeners_of_two("private", plan);
    MESSAGE(report.line());
    CHECK(report.prefetches == plan.listeners);
    CHECK(report.counts.asked == 0);
    CHECK(report.queries + report.answers == 0);
    CHECK(report.bytes == 0_B);
  }
}

TEST_CASE("with queries a swarm without a tracker brings the next track, and no start is later") {
  const OverlayReport with = listeners_of_two("with", all_overlays()[1].plan);
  const OverlayReport without = listeners_of_two("without", all_overlays()[2].plan);
  CHECK(with.all.from_cdn * 3 < without.all.from_cdn);
  CHECK(with.all.startup(95) <= without.all.startup(95) + 5ms);
}

TEST_CASE("beside a tracker that answers at once the overlay changes little") {
  const OverlayReport with = listeners_of_two("with", {.tracker_delay = 0s});
  const OverlayReport without =
      listeners_of_two("without", {.overlay = false, .tracker_delay = 0s});
  MESSAGE(with.line());
  MESSAGE(without.line());
  CHECK(with.all.stalls == without.all.stalls);
  CHECK(with.all.startup(95) <= without.all.startup(95) + 5ms);
  CHECK(with.all.offload_permille() + 10 >= without.all.offload_permille());
}

}  // namespace
}  // namespace tributary::sim
