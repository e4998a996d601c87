// What the literature has found, found again. Each test prints its figures.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/scenario/cast/distributions.h"
#include "tests/scenario/cast/selections.h"

namespace tributary::sim {
namespace {

TEST_CASE("a file reaches everybody in nearly the time that Kurose and Ross allow") {
  for (const int peers : {10, 30, 100}) {
    const DistributionReport report = distribute({.peers = peers});
    MESSAGE(report.line());
    CHECK(report.permille() >= 1000);
    CHECK(report.permille() <= 1100);
  }
}

TEST_CASE("from a server alone the time grows with everybody who comes") {
  const DistributionReport few = distribute({.peers = 10, .among_peers = false});
  const DistributionReport many = distribute({.peers = 30, .among_peers = false});
  MESSAGE(few.line());
  MESSAGE(many.line());
  CHECK(many.took > few.took * 28 / 10);
  for (const DistributionReport& report : {few, many}) {
    CHECK(report.permille() >= 1000);
    CHECK(report.permille() <= 1050);
  }
}

// N viewers with no other seed cannot have more than (N - 1) / N from each other.
TEST_CASE("simultaneous viewers come near the ceiling that their number sets") {
  for (const int viewers : {2, 4, 16, 32}) {
    const ScenarioReport report = viewers_of_one(viewers);
    MESSAGE(report.line());
    const int ceiling = 1000 - 1000 / viewers;
    CHECK(report.offload_permille() <= ceiling);
    CHECK(report.offload_permille() >= ceiling - 30);
    CHECK(report.stalls == 0);
  }
}

// The paper's mixture comes close to rarest first; ours starts as soon as in order does, and where
// the uplinks are as tight as here, and no CDN is there, it pays for that with stalls.
TEST_CASE("in order starts soon and stalls, rarest first waits and does not, ours stalls less") {
  std::map<std::string, ScenarioReport> by;
  for (const Selection& selection : all_selections()) {
    by.emplace(selection.name, play_by(selection));
    MESSAGE(by.at(selection.name).line());
  }
  const ScenarioReport& in_order = by.at("in order");
  const ScenarioReport& rarest = by.at("rarest first");
  const ScenarioReport& ours = by.at("ours");
  CHECK(in_order.startup(50) * 10 <= rarest.startup(50));
  CHECK(rarest.stalls * 10 <= in_order.stalls);
  CHECK(ours.startup(50) * 10 <= in_order.startup(50) * 11);
  CHECK(ours.stalls * 10 <= in_order.stalls * 7);
  CHECK(by.at("mixed").startup(50) < rarest.startup(50));
  CHECK(ours.unfinished == 0);
}

}  // namespace
}  // namespace tributary::sim
