// The literature's results, found again: prints them, and with --plots writes them as one page.
//
//   literature [--plots FILE.html] [--most N] [--only NAME]
//
// --most bounds the peers of the distribution times (1000) and the listeners of 2010's Spotify
// (300). NAME is distribution, ceiling, incentives, selection or spotify.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "demo/loadtest/figures.h"
#include "demo/loadtest/html_page.h"
#include "demo/loadtest/runner.h"
#include "demo/loadtest/svg_plot.h"
#include "demo/loadtest/text_table.h"
#include "tests/scenario/cast/distributions.h"
#include "tests/scenario/cast/incentives.h"
#include "tests/scenario/cast/selections.h"

namespace {

using namespace tributary;  // NOLINT(google-build-using-namespace)
using demo::PlotBars;
using demo::PlotLine;
using demo::TextTable;

struct Options {
  std::string plots;
  int most = 1000;
  std::string only;
};

double seconds(Duration time) { return static_cast<double>(time.count()) / 1e6; }

template <class... Args>
std::string format(const char* pattern, Args... args) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, args...);
  return text;
}

// Prints the table; returns both it and the plot as they stand in the page.
std::string show(const std::string& title, const std::string& note, const TextTable& table,
                 const std::string& svg) {
  std::printf("%s\n", title.c_str());
  for (const std::string& line : demo::terminal_lines(table)) std::printf("  %s\n", line.c_str());
  std::fflush(stdout);
  return demo::html_plot(title, note, svg + demo::html_table(table));
}

std::string distribution(const Options& options) {
  TextTable table{{"peers", "server alone", "bound", "among peers", "bound", "÷ bound"}, {}, 0};
  std::vector<PlotLine> lines = {{"server: bound", {}},
                                 {"server: measured", {}},
                                 {"peers: bound", {}},
                                 {"peers: measured", {}}};
  constexpr int kMostAlone = 30;  // more than it has connections for would wait for ever
  for (const int peers : {10, 30, 100, 300, 1000, 3000, 10'000}) {
    if (peers > options.most) break;
    sim::Distribution what{.peers = peers, .piece_length = peers > 1000 ? 64_KiB : 16_KiB};
    what.among_peers = false;
    const double alone_bound = seconds(what.bound());
    std::string alone;
    lines[0].points.emplace_back(peers, alone_bound);
    if (peers <= kMostAlone) {
      const double took = seconds(sim::distribute(what).took);
      lines[1].points.emplace_back(peers, took);
      alone = format("%.1f s", took);
    }
    what.among_peers = true;
    const sim::DistributionReport report = sim::distribute(what);
    lines[2].points.emplace_back(peers, seconds(what.bound()));
    lines[3].points.emplace_back(peers, seconds(report.took));
    table.rows.push_back({std::to_string(peers), alone, format("%.1f s", alone_bound),
                          format("%.1f s", seconds(report.took)),
                          format("%.1f s", seconds(what.bound())),
                          format("%.3f", static_cast<double>(report.permille()) / 1000)});
  }
  const double most = lines[0].points.back().second;
  return show("Distribution time (Kurose & Ross)",
              "20 MiB from a server of 10 Mbit/s to peers of 2 Mbit/s up and 20 down, all at once.",
              table,
              demo::line_plot("Distribution time", {"peers", 1.0 * options.most, true, 10},
                              {"seconds", most, true, 10}, lines));
}

std::string ceiling(const Options&) {
  TextTable table{{"viewers", "offload", "ceiling", "stalls"}, {}, 0};
  std::vector<PlotLine> lines = {{"(N - 1) / N", {}}, {"measured", {}}};
  for (const int viewers : {2, 4, 8, 16, 32}) {
    const sim::ScenarioReport report = sim::viewers_of_one(viewers);
    const double most = 100.0 * (viewers - 1) / viewers;
    const double offload = report.offload_permille() / 10.0;
    lines[0].points.emplace_back(viewers, most);
    lines[1].points.emplace_back(viewers, offload);
    table.rows.push_back({std::to_string(viewers), format("%.1f %%", offload),
                          format("%.1f %%", most), std::to_string(report.stalls)});
  }
  return show(
      "The ceiling of simultaneous viewers",
      "Of one track that nobody else has, 5 s apart: one of N copies must come from the CDN.",
      table, demo::line_plot("Offload", {"viewers", 32}, {"offload, %", 100}, lines));
}

std::string incentives(const Options&) {
  using Run = sim::SwarmReport (*)(const sim::SwarmPlan&);
  const std::vector<std::pair<std::string, Run>> seats = {{"honest", sim::honest_seat},
                                                          {"large view", sim::wide_seat},
                                                          {"BitThief", sim::free_rider_seat},
                                                          {"BitTyrant", sim::tyrant_seat},
                                                          {"all tyrants", sim::all_tyrants}};
  const std::vector<std::string> unchokers = {"tit-for-tat", "prop-share", "need-first"};
  constexpr std::uint64_t kRuns = 5;
  TextTable table{{"kbit/s of the seat", unchokers[0], unchokers[1], unchokers[2]}, {}, 1};
  std::vector<PlotBars> groups;
  double most = 1;
  for (const auto& [name, run] : seats) {
    PlotBars group{name, {}};
    std::vector<std::string> row = {name};
    for (const std::string& unchoker : unchokers) {
      double sum = 0;
      for (std::uint64_t seed = 2; seed < 2 + kRuns; ++seed) {
        const auto report = run({.unchoker = *core::unchoker_by_name(unchoker), .seed = seed});
        sum += static_cast<double>(report.rate("seat").bits_per_second()) / 1e3 / kRuns;
      }
      group.values.push_back(sum);
      row.push_back(format("%.0f", sum));
      most = std::max(most, sum);
    }
    groups.push_back(std::move(group));
    table.rows.push_back(std::move(row));
  }
  return show(
      "Incentives (BitTyrant, PropShare, BitThief, large view)",
      "What three clients of 1 Mbit/s up get among twenty honest ones, by their strategy and "
      "whom the others serve; means of five seeds.",
      table, demo::bar_plot("Incentives", {"kbit/s", most}, unchokers, groups));
}

std::string selection(const Options&) {
  TextTable table{{"selection", "startup p50", "stalls", "stalled"}, {}, 1};
  PlotBars startup{"startup p50, s", {}};
  PlotBars stalled{"stalled by viewer, s", {}};
  std::vector<std::string> names;
  double most = 1;
  for (const sim::Selection& chosen : sim::all_selections()) {
    const sim::ScenarioReport report = sim::play_by(chosen);
    const double waits = seconds(report.startup(50));
    const double breaks = seconds(report.stalled) / static_cast<double>(report.listeners.size());
    names.push_back(chosen.name);
    startup.values.push_back(waits);
    stalled.values.push_back(breaks);
    most = std::max({most, waits, breaks});
    table.rows.push_back({chosen.name, format("%.1f s", waits), std::to_string(report.stalls),
                          format("%.1f s", breaks)});
  }
  return show(
      "Piece selection (Zhou, Chiu & Lui)",
      "Twenty viewers of two minutes of video, whose uplinks carry 1.3 times the media, and "
      "no CDN.",
      table, demo::bar_plot("Piece selection", {"seconds", most}, names, {startup, stalled}));
}

// Beside what the paper tells (P2P 2010): bytes heard by source, latency, stutter.
std::string spotify(const Options& options) {
  auto scenario = demo::read_scenario("demo/loadtest/scenarios/spotify-2010.toml");
  if (!scenario) {
    std::fprintf(stderr, "%s\n", scenario.error().message.c_str());
    std::exit(1);
  }
  scenario->workload.listeners = std::min(options.most, 300);
  scenario->workload.tracks = scenario->workload.listeners * 20;
  const std::atomic<bool> stop{false};
  const auto reports = demo::run_load(
      {*scenario, {core::Policy::spotify()}, 1}, [](Duration, Duration) {}, stop);
  const sim::LoadReport& r = reports.front();
  const auto heard = [&](sim::Origin origin) {
    return 100 * demo::part_of(r.played[origin], r.played.total());
  };
  const std::vector<Duration> startups = demo::all_startups(r);
  const auto latency = [&](double q) { return seconds(demo::percentile(startups, q)) * 1e3; };
  TextTable table{{"", "paper", "measured"}, {}, 1};
  const auto row = [&](const char* name, const char* paper, const std::string& measured) {
    table.rows.push_back({name, paper, measured});
  };
  row("heard from the server", "8.8 %", format("%.1f %%", heard(sim::Origin::kCdn)));
  row("from peers", "35.8 %", format("%.1f %%", heard(sim::Origin::kPeers)));
  row("from the cache", "55.4 %", format("%.1f %%", heard(sim::Origin::kCache)));
  row("latency p50", "265 ms", format("%.0f ms", latency(50)));
  row("latency p75", "515 ms", format("%.0f ms", latency(75)));
  row("latency p90", "1047 ms", format("%.0f ms", latency(90)));
  row("playbacks with a stutter", "1.0 %",
      format("%.2f %%", 100 * demo::part_of(r.stalled_plays, r.plays)));
  const std::vector<PlotBars> bars = {
      {"paper", {8.8, 35.8, 55.4}},
      {"measured",
       {heard(sim::Origin::kCdn), heard(sim::Origin::kPeers), heard(sim::Origin::kCache)}}};
  return show("Spotify in 2010 (Kreitz & Niemelä), under the policy of that name",
              std::to_string(scenario->workload.listeners) +
                  " listeners of the scenario spotify-2010; why it differs: "
                  "demo/loadtest/scenarios/README.md.",
              table,
              demo::stacked_plot("Heard from", {"% of bytes heard", 100},
                                 {"server", "peers", "cache"}, bars));
}

struct Experiment {
  const char* name;
  std::string (*run)(const Options&);
};

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    if (i + 1 == argc) return false;
    if (option == "--plots") {
      options.plots = argv[i + 1];
    } else if (option == "--most") {
      options.most = std::atoi(argv[i + 1]);
    } else if (option == "--only") {
      options.only = argv[i + 1];
    } else {
      return false;
    }
  }
  return options.most >= 10;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr Experiment kAll[] = {{"distribution", distribution},
                                 {"ceiling", ceiling},
                                 {"incentives", incentives},
                                 {"selection", selection},
                                 {"spotify", spotify}};
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr, "usage: literature [--plots FILE.html] [--most N] [--only NAME]\n");
    return 2;
  }
  std::string page =
      demo::html_begin({"The literature, found again", "Simulated with the node that ships",
                        "Seed 1 where no other is named", ""}) +
      demo::html_plots_begin();
  for (const auto& [name, run] : kAll) {
    if (options.only.empty() || options.only == name) page += run(options);
  }
  page += demo::html_plots_end() + demo::html_end();
  if (options.plots.empty()) return 0;
  std::ofstream file(options.plots);
  file << page;
  file.close();
  if (file) return 0;
  std::fprintf(stderr, "literature: cannot write '%s'\n", options.plots.c_str());
  return 1;
}
