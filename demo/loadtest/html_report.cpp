#include "demo/loadtest/html_report.h"

#include <algorithm>
#include <functional>

#include "demo/human.h"
#include "demo/loadtest/figures.h"
#include "demo/loadtest/report_table.h"
#include "demo/loadtest/svg_plot.h"

namespace tributary::demo {
namespace {

using Report = sim::LoadReport;
using Reports = std::vector<Report>;
using sim::Origin;

constexpr double kMinute = 60e6;  // microseconds

constexpr const char* kStyle = R"(
:root { --page: #ffffff; --ink: #1c2430; --faint: #d9dee5; --soft: #5c6675; --card: #f6f8fa;
  --series-1: #0072b2; --series-2: #d55e00; --series-3: #009e73; --series-4: #cc79a7;
  --series-5: #8a6d00; --series-6: #56b4e9; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161c; --ink: #e6eaf0; --faint: #333c48; --soft: #a2adbb; --card: #1a2029;
    --series-1: #4aa8e8; --series-2: #ff8c42; --series-3: #2fcf9f; --series-4: #e59cc4;
    --series-5: #e3c34a; --series-6: #8fd3ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 16px 48px; max-width: 1360px; background: var(--page);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: 0 0 4px; }
p { margin: 4px 0 12px; color: var(--soft); } code { font-size: .9em; color: var(--ink); }
.plots { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); }
.wide { overflow-x: auto; } td:first-child { white-space: nowrap; }
section { background: var(--card); border-radius: 8px; padding: 14px 16px; overflow-x: auto; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 12px; }
.grid { stroke: var(--faint); stroke-width: 1; }
table { border-collapse: collapse; margin: 16px 0 24px; font-variant-numeric: tabular-nums; }
th, td { padding: 3px 16px 3px 0; text-align: right; border-bottom: 1px solid var(--faint); }
th:first-child, td:first-child { text-align: left; } td.part { padding-left: 1.2em; }
)";

std::string plot(const std::string& title, const std::string& note, const std::string& svg) {
  return "<section><h2>" + escape_html(title) + "</h2><p>" + escape_html(note) + "</p>" + svg +
         "</section>\n";
}

// A line for each policy, through the middle of each step of time.
std::vector<PlotLine> over_time(const Reports& reports,
                                const std::function<double(const sim::LoadBin&)>& value) {
  std::vector<PlotLine> lines;
  for (const Report& report : reports) {
    PlotLine line{report.policy, {}};
    const double step = static_cast<double>(report.bin.count()) / kMinute;
    for (const sim::LoadBin& bin : report.bins) {
      line.points.emplace_back((static_cast<double>(line.points.size()) + 0.5) * step, value(bin));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

double highest(const std::vector<PlotLine>& lines, double least) {
  double most = least;
  for (const PlotLine& line : lines) {
    for (const auto& point : line.points) most = std::max(most, point.second);
  }
  return most;
}

PlotAxis minutes_of(const Reports& reports) {
  const Report& any = reports.front();
  return {"minutes",
          static_cast<double>(any.bin.count()) / kMinute * static_cast<double>(any.bins.size())};
}

std::string offload_over_time(const Reports& reports) {
  const auto lines = over_time(reports, [](const sim::LoadBin& bin) {
    return 100 * part_of(bin.received[Origin::kPeers], bin.received.total());
  });
  return line_plot("Offload over time", minutes_of(reports), {"offload, %", 100}, lines);
}

std::string egress_over_time(const Reports& reports) {
  const Duration bin = reports.front().bin;
  const auto lines = over_time(reports, [bin](const sim::LoadBin& b) {
    const BitRate rate = rate_of(b.received[Origin::kCdn], bin);
    return static_cast<double>(rate.bits_per_second()) / 1e6;
  });
  return line_plot("CDN egress over time", minutes_of(reports), {"Mbit/s", highest(lines, 0.01)},
                   lines);
}

std::string startup_cdf(const Reports& reports) {
  constexpr int kPoints = 200;
  std::vector<PlotLine> lines;
  double most = 100;
  for (const Report& report : reports) {
    PlotLine line{report.policy, {}};
    for (int i = 0; i <= kPoints && !report.startups.empty(); ++i) {
      const double part = 100.0 * i / kPoints;
      const double ms = static_cast<double>(percentile(report.startups, part).count()) / 1000;
      line.points.emplace_back(std::max(ms, 10.0), part);
      most = std::max(most, ms);
    }
    lines.push_back(std::move(line));
  }
  return line_plot("Startup delay", {"milliseconds", most, true, 10}, {"plays started, %", 100},
                   lines);
}

std::vector<std::string> policies_of(const Reports& reports) {
  std::vector<std::string> names;
  for (const Report& report : reports) names.push_back(report.policy);
  return names;
}

std::string offload_by_popularity(const Reports& reports) {
  std::vector<PlotBars> groups;
  for (std::size_t tenth = 0; tenth < reports.front().by_popularity.size(); ++tenth) {
    PlotBars group{std::to_string(tenth * 10) + "–" + std::to_string(tenth * 10 + 10) + " %", {}};
    for (const Report& report : reports) {
      const sim::OriginBytes& bytes = report.by_popularity[tenth];
      group.values.push_back(100 * part_of(bytes[Origin::kPeers], bytes.total()));
    }
    groups.push_back(std::move(group));
  }
  return bar_plot("Offload by popularity", {"offload, %", 100}, policies_of(reports), groups);
}

std::string heard_from(const Reports& reports) {
  std::vector<PlotBars> bars;
  for (const Report& report : reports) {
    PlotBars bar{report.policy, {}};
    for (Origin origin : {Origin::kCdn, Origin::kPeers, Origin::kCache}) {
      bar.values.push_back(100 * part_of(report.played[origin], report.played.total()));
    }
    bars.push_back(std::move(bar));
  }
  return stacked_plot("Where what was heard came from", {"% of bytes heard", 100},
                      {"CDN", "peers", "cache"}, bars);
}

std::string cdn_by_reason(const Reports& reports) {
  std::vector<std::string> names;
  for (const core::CdnReason reason : core::kCdnReasons)
    names.emplace_back(core::to_string(reason));
  std::vector<PlotBars> bars;
  double most = 0.001;
  for (const Report& report : reports) {
    PlotBars bar{report.policy, {}};
    for (Bytes bytes : report.ledger.cdn_by_reason) {
      bar.values.push_back(static_cast<double>(bytes.count()) / 1e6);
    }
    most = std::max(most, static_cast<double>(report.ledger.cdn().count()) / 1e6);
    bars.push_back(std::move(bar));
  }
  return stacked_plot("CDN bytes by reason", {"MB", most}, names, bars);
}

std::string table(const Scenario& scenario, const Reports& reports) {
  std::string out = "<div class=\"wide\"><table><thead><tr><th></th>";
  for (const Report& report : reports) out += "<th>" + escape_html(report.policy) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (const ReportRow& row : report_rows(scenario)) {
    out += std::string("<tr><td") + (row.part ? " class=\"part\"" : "") + ">" +
           escape_html(row.name) + "</td>";
    for (const Report& report : reports) out += "<td>" + escape_html(row.cell(report)) + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace

std::string render_html(const Scenario& scenario, const Reports& reports, const LoadLabel& label) {
  const sim::Workload& w = scenario.workload;
  const std::string what = human_count(w.listeners, "listener") + ", " + human_clock(w.length) +
                           " of virtual time, figures from " + human_clock(scenario.setup.warm_up) +
                           " on, seed " + std::to_string(label.seed);
  std::string page =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"color-scheme\" content=\"light dark\"><title>" +
      escape_html(scenario.name) + "</title><style>" + kStyle + "</style></head><body>\n<h1>" +
      escape_html(scenario.name) + "</h1>\n<p>" + escape_html(scenario.title) + ". " +
      escape_html(what) + ".<br><code>" + escape_html(label.command) + "</code></p>\n";
  page += table(scenario, reports) + "<div class=\"plots\">\n";
  page += plot("Offload over time", "Bytes from peers ÷ bytes from peers and CDN, by the minute.",
               offload_over_time(reports));
  page +=
      plot("CDN egress over time", "What the CDN sends, by the minute.", egress_over_time(reports));
  page += plot("Startup delay", "From the wish to the first frame, of tracks that were not cached.",
               startup_cdf(reports));
  page +=
      plot("Offload by popularity",
           "Tenths of the catalogue, the most popular tracks first. No bar: nothing was fetched.",
           offload_by_popularity(reports));
  page += plot("Where what was heard came from", "", heard_from(reports));
  page += plot("CDN bytes by reason",
               "startup: heads. urgent, rescue: peers were too slow. no_peer: nobody had it. "
               "seed_swarm: the swarm's one copy. prefetch: the next track's head.",
               cdn_by_reason(reports));
  return page + "</div></body></html>\n";
}

}  // namespace tributary::demo
