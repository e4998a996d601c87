#include <doctest/doctest.h>

#include <string>

#include "demo/loadtest/scenario_file.h"
#include "demo/loadtest/sweep.h"
#include "demo/loadtest/trace_file.h"

namespace tributary::demo {
namespace {

using Action = sim::LoadEvent::Action;

std::string trace_error(const std::string& text) {
  const auto parsed = parse_load_trace(text, "t.csv");
  REQUIRE_FALSE(parsed.ok());
  return parsed.error().message;
}

TEST_CASE("a trace's listeners and tracks are numbered as they come, and join as they play") {
  const auto trace = parse_load_trace(
      "time_s,listener,track,action\n"
      "# a remark\n"
      "0,ann,song a,play\r\n"
      "0, ann, song b, next\n"
      "1.5,bob,,join\n"
      "2,bob,song b,play\n"
      "1:00,ann,,skip\n"
      "90,ann,,leave\n"
      "95,ann,song a,play",
      "t.csv");
  REQUIRE(trace.ok());
  CHECK(trace->listeners == 2);
  CHECK(trace->tracks == 2);
  std::vector<Action> actions;
  for (const sim::LoadEvent& event : trace->events) actions.push_back(event.action);
  CHECK(actions == std::vector<Action>{Action::kJoin, Action::kPlay, Action::kNext, Action::kJoin,
                                       Action::kPlay, Action::kSkip, Action::kLeave, Action::kJoin,
                                       Action::kPlay});
  CHECK(trace->events[2].track == 1);
  CHECK(trace->events[5].at == TimePoint(60s));
}

TEST_CASE("a mistake in a trace is told with its line") {
  CHECK(trace_error("1,ann,song") == "t.csv: line 1: not of the form time_s,listener,track,action");
  CHECK(trace_error("1,ann,song,play,loud").find("not of the form") != std::string::npos);
  CHECK(trace_error("2,ann,song,play\n1,ann,song,play") ==
        "t.csv: line 2: it is before the line above; sort the file by time");
  CHECK(trace_error("1,ann,song,hum").find("'hum' is unknown") != std::string::npos);
  CHECK(trace_error("1,ann,,play").find("only play and next name a track") != std::string::npos);
  CHECK(trace_error("1,ann,song,leave").find("only play and next") != std::string::npos);
  CHECK(trace_error("1,,song,play").find("no listener") != std::string::npos);
  CHECK(trace_error("-1,ann,song,play").find("line 1") != std::string::npos);
  CHECK(trace_error("1,ann,,join") == "t.csv: nothing is played in it");
}

TEST_CASE("what is set stands in the place of what the scenario has, of any kind") {
  const std::string text = "[listeners]\ncount = 5\n[[links]]\nup = \"1M\"\n";
  const auto parsed =
      parse_scenario(text, "s.toml",
                     {"listeners.count=7", "listeners.chosen=39%", "links.0.up=2M",
                      "listeners.overlay=false", "catalogue.length=3m", "cost.per_gb=0.1"});
  REQUIRE(parsed.ok());
  CHECK(parsed->workload.listeners == 7);
  CHECK(parsed->workload.chosen == 390'000);
  CHECK(parsed->workload.links[0].link.up == 2_Mbps);
  CHECK_FALSE(parsed->setup.overlay);
  CHECK(parsed->workload.track_length.points.front().second == 3min);
  CHECK(parsed->prices.per_gb == 100'000);
}

TEST_CASE("what cannot be set is told") {
  for (const char* wrong : {"count=3", "listeners.count", "links.1.up=2M", "title.x=1", "", "=",
                            "links.up=2M", "links.0.0.up=1M"}) {
    CAPTURE(wrong);
    const auto parsed = parse_scenario("title = \"t\"\n[[links]]\n", "s.toml", {wrong});
    CHECK_FALSE(parsed.ok());
  }
  const auto unknown = parse_scenario("", "s.toml", {"listeners.cuont=3"});
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().message.starts_with("s.toml: --set: [listeners] unknown key 'cuont'"));
}

TEST_CASE("a sweep makes a command for each combination, each with a report of its own") {
  const auto commands = sweep_commands({"tributary", "loadtest", "a b.toml"},
                                       {"listeners.count=1,2", "cdn.rtt=10ms,20ms"}, "out");
  REQUIRE(commands.ok());
  REQUIRE(commands->size() == 4);
  CHECK(commands->front() ==
        "tributary loadtest 'a b.toml' --set listeners.count=1 --set cdn.rtt=10ms --report "
        "out/listeners.count=1,cdn.rtt=10ms");
  CHECK_FALSE(sweep_commands({}, {"listeners.count"}, "out").ok());
  CHECK_FALSE(sweep_commands({}, {"=1,2"}, "out").ok());
  CHECK_FALSE(sweep_commands({}, {"a.b=1,,2"}, "out").ok());
}

TEST_CASE("words are quoted as a shell reads them") {
  CHECK(shell_quoted("plain-1.0/x=y") == "plain-1.0/x=y");
  CHECK(shell_quoted("") == "''");
  CHECK(shell_quoted("it's $5") == "'it'\\''s $5'");
}

TEST_CASE("merging what is no report is an error") { CHECK_FALSE(merge_reports({"no/such"}).ok()); }

}  // namespace
}  // namespace tributary::demo
