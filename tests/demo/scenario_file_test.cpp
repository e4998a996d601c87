#include "demo/loadtest/scenario_file.h"

#include <doctest/doctest.h>

#include <string>

namespace tributary::demo {
namespace {

using sim::kWhole;

std::string error_of(const std::string& text) {
  const auto parsed = parse_scenario(text, "s.toml");
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.error().code == ErrorCode::kInvalid);
  return parsed.error().message;
}

TEST_CASE("a scenario says who listens to what, over which links, and what the CDN costs") {
  const auto parsed = parse_scenario(R"(
title = "T"
[listeners]
count = 12
time = "2h"
warm_up = "10m"
session = [["50%", "10m"], ["100%", "1h"]]
chosen = "39%"
cache = "1G"
shares = 3
[catalogue]
tracks = 500
rate = "160k"
length = "3m"
popularity = [["12%", "88%"], ["100%", "100%"]]
[[links]]
weight = 2
down = "10M"
up = "1M"
rtt = "40ms"
reachable = false
conduct = "free-rider"
[[links]]
loss = "1%"
[cdn]
rtt = "30ms"
egress = "1G"
[tracker]
peers = 10
[cost]
currency = "USD"
per_gb = "0.08"
[[faults]]
what = "tracker"
from = "20m"
for = "5m"
)",
                                     "s.toml");
  REQUIRE(parsed.ok());
  const sim::Workload& w = parsed->workload;
  CHECK(w.listeners == 12);
  CHECK(w.length == 2h);
  CHECK(parsed->setup.warm_up == 10min);
  CHECK(w.session.points ==
        std::vector<std::pair<std::int64_t, Duration>>{{kWhole / 2, 10min}, {kWhole, 1h}});
  CHECK(w.chosen == 390'000);
  CHECK(parsed->setup.cache == Bytes(1 << 30));
  CHECK(parsed->setup.shares == 3);
  CHECK(w.tracks == 500);
  CHECK(w.rate == 160_kbps);
  CHECK(w.popularity.parts.front() == std::pair<std::int64_t, std::int64_t>(120'000, 880'000));
  REQUIRE(w.links.size() == 2);
  CHECK(w.links[0].link.up == 1_Mbps);
  CHECK(w.links[0].link.half_rtt == 20ms);
  CHECK_FALSE(w.links[0].reachable);
  CHECK(w.links[0].conduct == sim::Conduct::kFreeRider);
  CHECK(w.links[1].link.loss_permille == 10);
  CHECK(parsed->setup.edge.half_rtt == 15ms);
  CHECK(parsed->setup.tracker.most_peers == 10);
  CHECK(parsed->prices.per_gb == 80'000);
  REQUIRE(parsed->setup.faults.size() == 1);
  CHECK(parsed->setup.faults[0].until == TimePoint(25min));
}

TEST_CASE("links may swing, drop out, send nothing, and be a share of all") {
  const auto parsed = parse_scenario(R"(
[listeners]
operators = 3
near_first = false
[[links]]
weight = 3
[[links]]
name = "train"
share = "60%"
upload = false
swing_every = "20s"
swing_least = "5%"
drop_every = [["50%", "2m"], ["100%", "5m"]]
drop_for = "15s"
[[links]]
weight = 1
[[faults]]
what = "partition"
)",
                                     "s.toml");
  REQUIRE(parsed.ok());
  CHECK(parsed->workload.operators == 3);
  CHECK_FALSE(parsed->setup.near_first);
  const auto& links = parsed->workload.links;
  REQUIRE(links.size() == 3);
  CHECK(links[0].weight == 300'000);
  CHECK(links[1].weight == 600'000);
  CHECK(links[2].weight == 100'000);
  CHECK(links[0].name == "honest 0");
  CHECK(links[1].name == "train");
  CHECK_FALSE(links[1].upload);
  CHECK(links[1].weather.least == 50'000);
  CHECK(links[1].weather.every.points.front().second == 20s);
  CHECK(links[1].weather.between.points.back().second == 5min);
  CHECK(links[1].weather.outage.points.front().second == 15s);
  CHECK(links[0].weather.every.points.empty());
  CHECK(parsed->setup.faults.front().kind == sim::LoadFault::Kind::kPartition);
}

TEST_CASE("a share may be nothing or all, and shares must not be more than all") {
  const auto none = parse_scenario("[[links]]\n[[links]]\nshare = \"0%\"", "s.toml");
  REQUIRE(none.ok());
  CHECK(none->workload.links[0].weight == kWhole);
  CHECK(none->workload.links[1].weight == 0);
  const auto all = parse_scenario("[[links]]\n[[links]]\nshare = \"100%\"", "s.toml");
  REQUIRE(all.ok());
  CHECK(all->workload.links[0].weight == 0);
  const std::string sum = "the shares of all [[links]] must sum to 100%";
  CHECK(error_of("[[links]]\nshare = \"40%\"").find(sum) != std::string::npos);
  CHECK(error_of("[[links]]\nshare = \"60%\"\n[[links]]\nshare = \"60%\"").find(sum) !=
        std::string::npos);
}

TEST_CASE("a scenario may say at which values of one key it is to be run") {
  const auto parsed =
      parse_scenario("[sweep]\nkey = \"links.0.up\"\nvalues = [\"1M\", \"5M\"]", "s.toml");
  REQUIRE(parsed.ok());
  CHECK(parsed->sweep.key == "links.0.up");
  CHECK(parsed->sweep.values == std::vector<std::string>{"1M", "5M"});
  CHECK(parsed->sweep.title == "links.0.up");
  CHECK(error_of("[sweep]\nkey = \"a.b\"") ==
        "s.toml: line 2: [sweep] a sweep needs both a key and values");
  CHECK(error_of("[sweep]\nkey = \"a.b\"\nvalues = [1]").find("list of texts") !=
        std::string::npos);
}

TEST_CASE("an empty scenario is a whole one") {
  const auto parsed = parse_scenario("", "s.toml");
  REQUIRE(parsed.ok());
  CHECK(parsed->workload.links.size() == 1);
}

TEST_CASE("a mistake in a scenario is told with its line and what would be right") {
  CHECK(error_of("[listeners]\ncont = 3") ==
        "s.toml: line 2: [listeners] unknown key 'cont'; known here: trace, count, time, warm_up, "
        "arrivals, "
        "session, pause, chosen, again, skipped, skipped_after, cache, cached, shares, overlay, "
        "dht, hole_punching, operators, near_first");
  CHECK(error_of("\n[listeners]\ncount = 0") ==
        "s.toml: line 3: [listeners] count must be a whole number from 1 to 100000");
  CHECK(error_of("[listeners]\nchosen = 39") ==
        "s.toml: line 2: [listeners] chosen must be a text in quotation marks");
  CHECK(
      error_of("[listeners]\nchosen = \"39\"") ==
      "s.toml: line 2: [listeners] chosen: '39' is no percentage; give one like 39% or 0.5%, up to "
      "100%");
  CHECK(error_of("[listeners]\nsession = [[\"50%\", \"1m\"]]").find("up to 100%") !=
        std::string::npos);
  CHECK(
      error_of("[listeners]\nsession = [[\"50%\", \"2m\"], [\"100%\", \"1m\"]]").find("greater") !=
      std::string::npos);
  CHECK(error_of("[catalogue]\npopularity = [[\"12%\", \"88%\"], [\"100%\", \"99%\"]]")
            .find("must end with") != std::string::npos);
  CHECK(error_of("[listeners]\ntime = \"10m\"\nwarm_up = \"10m\"") ==
        "s.toml: line 3: [listeners] warm_up must be below time");
  CHECK(error_of("links = 3") == "s.toml: line 1: links must be given as [[links]]");
  CHECK(error_of("listeners = 3") == "s.toml: line 1: listeners must be given as [listeners]");
  CHECK(error_of("[[faults]]\nwhat = \"sun\"").find("\"cdn\", \"tracker\" or") !=
        std::string::npos);
  CHECK(error_of("[[links]]\nconduct = \"rude\"") ==
        "s.toml: line 2: [links] conduct is \"honest\", \"free-rider\", \"polluter\" or "
        "\"tyrant\"");
  CHECK(error_of("[listeners").starts_with("s.toml: line 1: "));
}

TEST_CASE("a scenario that is not there, or a folder, is told as such") {
  for (const char* path : {"no/such.toml", "."}) {
    CAPTURE(path);
    const auto missing = read_scenario(path);
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().code == ErrorCode::kNotFound);
  }
}

}  // namespace
}  // namespace tributary::demo
