// tributary loadtest: what a policy would cost with so many listeners, in virtual time.
#include <atomic>
#include <cstdio>
#include <memory>

#include "demo/arguments.h"
#include "demo/command.h"
#include "demo/human.h"
#include "demo/loadtest/report_files.h"
#include "demo/loadtest/report_table.h"
#include "demo/loadtest/runner.h"
#include "demo/progress_bar.h"
#include "demo/stop_signals.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "loadtest";

struct LoadArguments {
  std::string scenario;
  std::int32_t nodes = 0;  // 0: as the scenario has it
  Duration time{};         // zero: the same
  std::int32_t seed = 1;
  std::vector<std::string> policies;
  std::string report;
};

// "1" or "0.5".
Result<Duration> parse_hours(std::string_view text) { return parse_time(std::string(text) + "h"); }

Result<LoadRun> plan(const LoadArguments& arguments) {
  TRIBUTARY_TRY(scenario, read_scenario(arguments.scenario));
  LoadRun run{std::move(scenario), {}, static_cast<std::uint64_t>(arguments.seed)};
  if (arguments.nodes > 0) run.scenario.workload.listeners = arguments.nodes;
  if (arguments.time > Duration::zero()) run.scenario.workload.length = arguments.time;
  if (run.scenario.workload.length <= run.scenario.setup.warm_up) {
    return invalid("--hours ends before the scenario's warm-up of " +
                   human_clock(run.scenario.setup.warm_up) + "; give more");
  }
  for (const std::string& name : arguments.policies) {
    const auto policy = core::Policy::by_name(name);
    if (!policy) {
      return invalid("policy '" + name +
                     "' is unknown; give adaptive, spotify, cdn-only or peers-only");
    }
    run.policies.push_back(*policy);
  }
  if (run.policies.empty()) run.policies = {core::Policy::adaptive(), core::Policy::spotify()};
  return run;
}

std::string decimal(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", number);
  return text;
}

// What gives the same figures again.
std::string command_of(const LoadArguments& arguments, const LoadRun& run) {
  std::string text = "tributary loadtest " + arguments.scenario;
  if (arguments.nodes > 0) text += " --nodes " + std::to_string(arguments.nodes);
  if (arguments.time > Duration::zero()) {
    text += " --hours " + decimal(static_cast<double>(arguments.time.count()) / 3600e6);
  }
  text += " --seed " + std::to_string(arguments.seed);
  for (const core::Policy& policy : run.policies) text += " --policy " + std::string(policy.name);
  return text;
}

int test(const LoadArguments& arguments) {
  std::atomic<bool> stop{false};
  const StopSignals signals([&stop] { stop = true; });
  const auto run = plan(arguments);
  if (!run) return fail(kName, run.error());
  if (!arguments.report.empty()) {
    if (auto made = make_report_folder(arguments.report); !made) return fail(kName, made.error());
  }
  std::vector<sim::LoadReport> reports;
  {
    ProgressBar bar(run->scenario.name, ProgressUnit::kTime);
    reports = run_load(
        *run, [&bar](Duration done, Duration total) { bar.update(done, total); }, stop);
  }
  if (reports.empty()) return fail(kName, {ErrorCode::kCancelled, "stopped; nothing was written"});
  const sim::Workload& w = run->scenario.workload;
  std::printf("%s: %s, %s of virtual time, seed %d\n", run->scenario.name.c_str(),
              human_count(w.listeners, "listener").c_str(), human_clock(w.length).c_str(),
              arguments.seed);
  for (const std::string& line : render_table(run->scenario, reports))
    std::printf("%s\n", line.c_str());
  if (arguments.report.empty()) return kExitDone;
  const LoadLabel label{command_of(arguments, *run), run->seed};
  const auto written = write_report(arguments.report, run->scenario, reports, label);
  if (!written) return fail(kName, written.error());
  std::printf("%s/report.html, report.json, time.csv\n", arguments.report.c_str());
  return kExitDone;
}

constexpr const char* kExample =
    "Every listener is the very client that `tributary play` is, on modelled links, with a "
    "modelled\n"
    "CDN and tracker. All policies get the same listeners, tracks and links. The same scenario, "
    "seed\n"
    "and version give the same figures on every machine; the digest says whether they did.\n\n"
    "Examples:\n"
    "  tributary loadtest flash-crowd.toml\n"
    "  tributary loadtest spotify-2010.toml --nodes 2000 --hours 2 --policy adaptive --policy "
    "spotify";

}  // namespace

void add_loadtest(CommandLine& line) {
  auto arguments = std::make_shared<LoadArguments>();
  Subcommand sub = line.add(kName, "Simulate listeners and say what they cost the CDN", kExample,
                            [arguments] { return test(*arguments); });
  sub.require("scenario", "SCENARIO.toml", arguments->scenario,
              "Who listens to what, over which links");
  sub.add("--nodes", "N", arguments->nodes, parse_count, "So many listeners (as in the scenario)");
  sub.add("--hours", "H", arguments->time, parse_hours,
          "So much virtual time (as in the scenario)");
  sub.add("--seed", "S", arguments->seed, parse_count, "Another course of the same scenario (1)");
  sub.add("--policy", "NAME", arguments->policies,
          "adaptive, spotify, cdn-only or peers-only; may be repeated (adaptive and spotify)");
  sub.add("--report", "DIR", arguments->report,
          "Write report.html, report.json and time.csv there");
}

}  // namespace tributary::demo
