// tributary loadtest: what a policy would cost with so many listeners, in virtual time or with real
// nodes.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <memory>

#include "demo/arguments.h"
#include "demo/command.h"
#include "demo/human.h"
#include "demo/loadtest/class_table.h"
#include "demo/loadtest/live_runner.h"
#include "demo/loadtest/report_files.h"
#include "demo/loadtest/report_table.h"
#include "demo/loadtest/runner.h"
#include "demo/loadtest/sweep.h"
#include "demo/loadtest/sweep_report.h"
#include "demo/progress_bar.h"
#include "demo/stop_signals.h"
#include "engine/net/address.h"
#include "engine/net/disk_file.h"
#include "engine/wire/octets.h"

namespace tributary::demo {
namespace {

constexpr const char* kName = "loadtest";

struct LoadArguments {
  std::vector<std::string> paths;  // the scenario, or the reports to merge
  std::int32_t nodes = 0;          // 0: as the scenario has it
  Duration time{};                 // zero: the same
  std::int32_t seed = 1;
  std::vector<std::string> policies;
  std::vector<std::string> settings;
  std::vector<std::string> sweeps;
  std::string report;
  bool merge = false;
  bool live = false;
  LiveOptions real;
};

// "1" or "0.5".
Result<Duration> parse_hours(std::string_view text) { return parse_time(std::string(text) + "h"); }

Result<std::string> parse_edge_folder(std::string_view text) {
  TRIBUTARY_TRY(url, parse_edge(text));
  return url.ends_with('/') ? url : url + "/";
}

std::string decimal(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", number);
  return text;
}

void print(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
}

Result<LoadRun> plan(const LoadArguments& arguments) {
  TRIBUTARY_TRY(scenario, read_scenario(arguments.paths.front(), arguments.settings));
  LoadRun run{std::move(scenario), {}, static_cast<std::uint64_t>(arguments.seed)};
  sim::Workload& workload = run.scenario.workload;
  if (arguments.nodes > 0 && run.scenario.trace) {
    return invalid("--nodes is of no use with a trace, which names its listeners; leave it out");
  }
  if (arguments.nodes > 0) workload.listeners = arguments.nodes;
  if (arguments.time > Duration::zero()) workload.length = arguments.time;
  if (workload.length <= run.scenario.setup.warm_up) {
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
  if (!run.policies.empty()) return run;
  run.policies = {core::Policy::adaptive()};
  if (!arguments.live) run.policies.push_back(core::Policy::spotify());
  return run;
}

Result<void> check_live(const LoadArguments& arguments) {
  const LiveOptions& real = arguments.real;
  const bool told = !real.target.edge.empty() || !real.target.tracker.empty() ||
                    !real.content.empty() || real.listen.has_value();
  if (!arguments.live && told) {
    return invalid("--edge, --tracker, --content and --listen are of use with --live only");
  }
  if (!arguments.live) return {};
  if (arguments.merge || !arguments.sweeps.empty()) {
    return invalid("--live runs one scenario; leave out --sweep and --merge");
  }
  if (!real.target.edge.empty() && real.content.empty()) {
    return invalid(
        "--edge needs --content: the folder of the tracks' files, which the edge serves");
  }
  if (real.listen && real.listen->port != 0) {
    return invalid("--listen must have port 0: each node takes another");
  }
  return {};
}

// What gives the same figures again, but for the report and what is swept.
std::vector<std::string> command_of(const LoadArguments& arguments, const LoadRun& run) {
  std::vector<std::string> words = {"tributary", kName, arguments.paths.front()};
  const auto add = [&words](const std::string& option, const std::string& value) {
    words.push_back(option);
    words.push_back(value);
  };
  if (arguments.nodes > 0) add("--nodes", std::to_string(arguments.nodes));
  if (arguments.time > Duration::zero()) {
    add("--hours", decimal(static_cast<double>(arguments.time.count()) / 3600e6));
  }
  add("--seed", std::to_string(arguments.seed));
  for (const core::Policy& policy : run.policies) add("--policy", std::string(policy.name));
  for (const std::string& setting : arguments.settings) add("--set", setting);
  const LiveOptions& real = arguments.real;
  if (arguments.live) words.emplace_back("--live");
  if (!real.target.edge.empty()) add("--edge", real.target.edge);
  if (!real.target.tracker.empty()) add("--tracker", real.target.tracker);
  if (!real.content.empty()) add("--content", real.content);
  if (real.listen) add("--listen", net::format_endpoint(*real.listen));
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + shell_quoted(word);
  return text;
}

Result<void> print_sweep(const LoadArguments& arguments, const LoadRun& run) {
  const std::string folder = arguments.report.empty() ? "sweep" : arguments.report;
  TRIBUTARY_TRY(commands, sweep_commands(command_of(arguments, run), arguments.sweeps, folder));
  print(commands);
  return {};
}

Result<void> merge(const LoadArguments& arguments) {
  TRIBUTARY_TRY(lines, merge_reports(arguments.paths));
  print(render_merged(lines));
  if (arguments.report.empty()) return {};
  if (auto made = make_folder(arguments.report, "--report"); !made) return made;
  const std::string path = arguments.report + "/merged.csv";
  const std::string csv = render_merged_csv(lines);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(csv.data());
  if (auto written = net::replace_file(path, {bytes, csv.size()}); !written) return written;
  std::printf("%s\n", path.c_str());
  return {};
}

std::vector<sim::LoadReport> simulate(const LoadRun& run, const std::string& title,
                                      const std::atomic<bool>& stop) {
  ProgressBar bar(title, ProgressUnit::kTime);
  return run_load(
      run, [&bar](Duration done, Duration total) { bar.update(done, total); }, stop);
}

Error stopped() { return {ErrorCode::kCancelled, "stopped; nothing was written"}; }

void print_head(const LoadRun& run, const char* time, const char* note = "") {
  const sim::Workload& w = run.scenario.workload;
  std::printf("%s: %s, %s of %s time, seed %llu%s\n", run.scenario.name.c_str(),
              human_count(w.listeners, "listener").c_str(), human_clock(w.length).c_str(), time,
              static_cast<unsigned long long>(run.seed), note);
}

Result<void> tell(const LoadArguments& arguments, const LoadRun& run,
                  const std::vector<sim::LoadReport>& reports) {
  print(render_table(run.scenario, reports));
  if (run.scenario.workload.links.size() > 1) {
    std::printf("\n");
    print(terminal_lines(class_table(reports)));
  }
  if (arguments.report.empty()) return {};
  const LoadLabel label{joined(command_of(arguments, run)), run.seed, arguments.live};
  auto written = write_report(arguments.report, run.scenario, reports, label);
  if (written) std::printf("%s/report.html, report.json, time.csv\n", arguments.report.c_str());
  return written;
}

Result<void> test(const LoadArguments& arguments, const LoadRun& run,
                  const std::atomic<bool>& stop) {
  const std::vector<sim::LoadReport> reports = simulate(run, run.scenario.name, stop);
  if (reports.empty()) return stopped();
  print_head(run, "virtual");
  return tell(arguments, run, reports);
}

Result<void> test_live(const LoadArguments& arguments, const LoadRun& run,
                       const std::atomic<bool>& stop) {
  const auto say = [](const std::string& line) {
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
  };
  TRIBUTARY_TRY(done, run_live(run, arguments.real, say, stop));
  print_head(run, "real", done.stopped ? ", stopped before its end" : "");
  return tell(arguments, run, done.reports);
}

// Of one value of the scenario's own sweep.
struct PlannedPoint {
  LoadArguments arguments;
  LoadRun run;
};

// All of them, so that a mistake is told before any has run.
Result<std::vector<PlannedPoint>> plan_points(const LoadArguments& arguments,
                                              const ScenarioSweep& sweep) {
  std::vector<PlannedPoint> points;
  for (const std::string& value : sweep.values) {
    const std::string setting = sweep.key + "=" + value;
    LoadArguments at = arguments;
    at.settings.push_back(setting);
    if (!at.report.empty()) at.report += "/" + point_folder(setting);
    TRIBUTARY_TRY(run, plan(at));
    points.push_back({std::move(at), std::move(run)});
  }
  return points;
}

// Each point's report in a folder of its own, and one of all.
Result<void> write_sweep(const LoadArguments& arguments, const LoadRun& run,
                         const std::vector<PlannedPoint>& planned,
                         const std::vector<SweepPoint>& points) {
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const LoadArguments& at = planned[i].arguments;
    if (auto made = make_folder(at.report, "--report"); !made) return made;
    const LoadLabel label{joined(command_of(at, planned[i].run)), run.seed};
    auto written = write_report(at.report, planned[i].run.scenario, points[i].reports, label);
    if (!written) return written;
  }
  const LoadLabel label{joined(command_of(arguments, run)), run.seed};
  const std::string page = render_sweep_html(run.scenario, points, label);
  return net::replace_file(arguments.report + "/report.html", wire::as_octets(page));
}

Result<void> test_sweep(const LoadArguments& arguments, const LoadRun& run,
                        const std::atomic<bool>& stop) {
  TRIBUTARY_TRY(planned, plan_points(arguments, run.scenario.sweep));
  std::vector<SweepPoint> points;
  for (const PlannedPoint& point : planned) {
    const std::string& setting = point.arguments.settings.back();
    points.push_back({setting.substr(setting.find('=') + 1),
                      simulate(point.run, run.scenario.name + " " + setting, stop)});
    if (points.back().reports.empty()) return stopped();
  }
  print_head(run, "virtual");
  print(terminal_lines(sweep_table(run.scenario, points)));
  std::printf("\n");
  print(terminal_lines(sweep_classes(run.scenario, points)));
  if (arguments.report.empty()) return {};
  auto written = write_sweep(arguments, run, planned, points);
  if (written) std::printf("%s/report.html, */report.html\n", arguments.report.c_str());
  return written;
}

// The scenario's own sweep is left out where its key is set.
bool sweeps(const LoadArguments& arguments, const ScenarioSweep& sweep) {
  const auto sets = [&](const std::string& setting) {
    return setting.compare(0, sweep.key.size() + 1, sweep.key + "=") == 0;
  };
  return !sweep.key.empty() &&
         std::none_of(arguments.settings.begin(), arguments.settings.end(), sets);
}

Result<void> act(const LoadArguments& arguments) {
  std::atomic<bool> stop{false};
  const StopSignals signals([&stop] { stop = true; });
  if (auto checked = check_live(arguments); !checked) return checked;
  if (arguments.merge) return merge(arguments);
  if (arguments.paths.size() > 1) {
    return invalid("more than one scenario; give one, or --merge for the folders of reports");
  }
  TRIBUTARY_TRY(run, plan(arguments));
  if (!arguments.sweeps.empty()) return print_sweep(arguments, run);
  const bool sweeping = sweeps(arguments, run.scenario.sweep);
  if (arguments.live && sweeping) {
    return invalid("--live runs one value of a scenario's sweep; give it by --set " +
                   run.scenario.sweep.key + "=" + run.scenario.sweep.values.front());
  }
  if (!arguments.report.empty()) {
    if (auto made = make_folder(arguments.report, "--report"); !made) return made;
  }
  if (arguments.live) return test_live(arguments, run, stop);
  return sweeping ? test_sweep(arguments, run, stop) : test(arguments, run, stop);
}

constexpr const char* kExample =
    "Every listener is the very client that `tributary play` is, on modelled links, with a "
    "modelled\n"
    "CDN and tracker. All policies get the same listeners, tracks and links. The same scenario, "
    "seed\n"
    "and version give the same figures on every machine; the digest says whether they did.\n"
    "What a scenario is made of: demo/loadtest/scenarios/README.md.\n\n"
    "Examples:\n"
    "  tributary loadtest flash-crowd.toml\n"
    "  tributary loadtest spotify-2010.toml --nodes 2000 --hours 2 --policy adaptive\n"
    "  tributary loadtest churn.toml --set links.0.up=2M --set catalogue.rate=320k\n"
    "A scenario with a [sweep] is run at each of its values, and reported side by side; --set of "
    "its\n"
    "key runs one:\n"
    "  tributary loadtest free-riders.toml --report riders\n"
    "  tributary loadtest free-riders.toml --set links.1.share=30%\n"
    "Many points, as many at once as there are cores, here or on other machines:\n"
    "  tributary loadtest churn.toml --sweep listeners.count=100,300,1000 --report sweep |\n"
    "      parallel   # or: parallel --sshlogin one,two --workdir ... --return sweep --cleanup\n"
    "  tributary loadtest --merge sweep/* --report sweep\n"
    "With --live the listeners are real nodes in this process, over real sockets and in real time: "
    "\n"
    "with a CDN and a tracker of this process, all on loopback, or against those of a deployment. "
    "The\n"
    "tracks are random bytes, the same for the same scenario and seed; an --edge must serve the "
    "files\n"
    "of --content, which are made there. What will be sent where is told first; Ctrl-C ends it and "
    "still\n"
    "reports.\n"
    "  tributary loadtest flash-crowd.toml --live --nodes 20 --hours 0.02\n"
    "  tributary loadtest churn.toml --live --edge https://cdn.example.org/test/ --content test "
    "\\\n"
    "      --tracker https://tracker.example.org/announce --nodes 200";

void add_live_options(Subcommand& sub, LoadArguments& arguments) {
  LiveOptions& real = arguments.real;
  sub.add("--live", arguments.live, "Real nodes over real sockets, in real time");
  sub.add("--edge", "URL", real.target.edge, parse_edge_folder,
          "With --live: the CDN's folder with the files of --content (one of this process)");
  sub.add("--tracker", "URL", real.target.tracker, parse_tracker,
          "With --live: announce URL (one of this process)");
  sub.add(
      "--content", "DIR", real.content,
      "With --live: where the tracks' files are made, and stay (a folder that goes at the end)");
  sub.add("--listen", "HOST:0", real.listen, parse_told_listen,
          "With --live: where each node can be reached (127.0.0.1; with a --tracker or --edge "
          "elsewhere 0.0.0.0)");
}

}  // namespace

void add_loadtest(CommandLine& line) {
  auto arguments = std::make_shared<LoadArguments>();
  Subcommand sub =
      line.add(kName, "Simulate listeners and say what they cost the CDN", kExample, [arguments] {
        const auto done = act(*arguments);
        return done ? kExitDone : fail(kName, done.error());
      });
  sub.require("scenario", "SCENARIO.toml", arguments->paths,
              "Who listens to what, over which links; with --merge, folders of reports");
  sub.add("--nodes", "N", arguments->nodes, parse_count, "So many listeners (as in the scenario)");
  sub.add("--hours", "H", arguments->time, parse_hours,
          "So much time, virtual or with --live real (as in the scenario)");
  sub.add("--seed", "S", arguments->seed, parse_count, "Another course of the same scenario (1)");
  sub.add("--policy", "NAME", arguments->policies,
          "adaptive, spotify, cdn-only or peers-only; may be repeated (adaptive and spotify; with "
          "--live adaptive)");
  sub.add("--set", "TABLE.KEY=VALUE", arguments->settings,
          "In place of what the scenario has, may be repeated");
  sub.add("--report", "DIR", arguments->report,
          "Write report.html, report.json and time.csv there");
  sub.add("--sweep", "TABLE.KEY=A,B,…", arguments->sweeps,
          "Run nothing: print a command for each value, and for each combination where repeated");
  sub.add("--merge", arguments->merge, "Run nothing: print the results of reports as one table");
  add_live_options(sub, *arguments);
}

}  // namespace tributary::demo
