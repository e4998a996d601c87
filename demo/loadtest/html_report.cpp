#include "demo/loadtest/html_report.h"

#include <algorithm>
#include <functional>

#include "demo/human.h"
#include "demo/loadtest/class_table.h"
#include "demo/loadtest/figures.h"
#include "demo/loadtest/html_page.h"
#include "demo/loadtest/report_table.h"
#include "demo/loadtest/svg_plot.h"
#include "demo/loadtest/text_table.h"

namespace tributary::demo {
namespace {

using Report = sim::LoadReport;
using Reports = std::vector<Report>;
using sim::Origin;

constexpr double kMinute = 60e6;  // microseconds

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

PlotLine startup_line(const std::string& name, const std::vector<Duration>& ascending) {
  constexpr int kPoints = 200;
  PlotLine line{name, {}};
  for (int i = 0; i <= kPoints && !ascending.empty(); ++i) {
    const double part = 100.0 * i / kPoints;
    const double ms = static_cast<double>(percentile(ascending, part).count()) / 1000;
    line.points.emplace_back(std::max(ms, 1.0), part);
  }
  return line;
}

std::string startup_cdf(const Reports& reports) {
  std::vector<PlotLine> lines;
  double most = 100;
  for (const Report& report : reports) {
    lines.push_back(startup_line(report.policy + ", fetched", report.startups));
    lines.push_back(startup_line(report.policy + ", cache hits too", all_startups(report)));
    for (const PlotLine& line : {lines.end()[-1], lines.end()[-2]}) {
      if (!line.points.empty()) most = std::max(most, line.points.back().first);
    }
  }
  return line_plot("Startup delay", {"milliseconds", most, true, 1}, {"plays started, %", 100},
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
    for (Bytes bytes : report.ledger.cdn_by_reason.by_reason) {
      bar.values.push_back(static_cast<double>(bytes.count()) / 1e6);
    }
    most = std::max(most, static_cast<double>(report.ledger.cdn().count()) / 1e6);
    bars.push_back(std::move(bar));
  }
  return stacked_plot("CDN bytes by reason", {"MB", most}, names, bars);
}

// Of all that was received, in percent.
std::string fates(const Reports& reports) {
  std::vector<PlotBars> bars;
  for (const Report& r : reports) {
    const Bytes all = r.received.total() + r.cdn.cut_off;
    PlotBars bar{r.policy, {}};
    for (Bytes bytes : {r.kept[Origin::kPeers], r.duplicate[Origin::kPeers],
                        r.corrupt[Origin::kPeers], r.kept[Origin::kCdn], r.duplicate[Origin::kCdn],
                        r.corrupt[Origin::kCdn] + r.cdn.cut_off}) {
      bar.values.push_back(100 * part_of(bytes, all));
    }
    bars.push_back(std::move(bar));
  }
  return stacked_plot("What became of what was received", {"% of bytes received", 100},
                      {"peers: kept", "peers: duplicate", "peers: corrupt", "CDN: kept",
                       "CDN: duplicate", "CDN: corrupt, cut off"},
                      bars);
}

// By source, reason and fate. What was cut off, and what was heard, is known of the CDN as a whole.
TextTable bytes_table(const Reports& reports) {
  TextTable table{
      {"bytes", "policy", "received", "kept", "duplicate", "corrupt", "cut off", "heard"}, {}, 2};
  for (const Report& r : reports) {
    const auto source = [&](const char* name, Origin origin, Bytes cut_off) {
      table.rows.push_back({name, r.policy, human_bytes(r.received[origin]),
                            human_bytes(r.kept[origin]), human_bytes(r.duplicate[origin]),
                            human_bytes(r.corrupt[origin]), human_bytes(cut_off),
                            human_bytes(r.played[origin])});
    };
    source("peers", Origin::kPeers, 0_B);
    source("CDN", Origin::kCdn, r.cdn.cut_off);
    for (const core::CdnReason reason : core::kCdnReasons) {
      const Bytes received = r.ledger.cdn_by_reason[reason];
      const Bytes duplicate = r.ledger.cdn_duplicate[reason];
      const Bytes corrupt = r.ledger.cdn_corrupt[reason];
      table.rows.push_back({"CDN, " + std::string(core::to_string(reason)), r.policy,
                            human_bytes(received), human_bytes(received - duplicate - corrupt),
                            human_bytes(duplicate), human_bytes(corrupt), "", ""});
    }
    table.rows.push_back(
        {"cache", r.policy, "", "", "", "", "", human_bytes(r.played[Origin::kCache])});
  }
  return table;
}

std::string table(const Scenario& scenario, const Reports& reports) {
  std::string out = "<div class=\"wide\"><table><thead><tr><th></th>";
  for (const Report& report : reports) out += "<th>" + escape_html(report.policy) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (const ReportRow& row : report_rows(scenario, reports.front().machine.has_value())) {
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
  const std::string what =
      human_count(w.listeners, "listener") + ", " + human_clock(w.length) +
      (label.live ? " of real time, figures from " : " of virtual time, figures from ") +
      human_clock(scenario.setup.warm_up) + " on, seed " + std::to_string(label.seed);
  std::string page = html_begin({scenario.name, scenario.title, what, label.command});
  page += table(scenario, reports) + html_plots_begin();
  const std::string steps = ", in steps of " + human_clock(reports.front().bin) + ".";
  page += html_plot("Offload over time", "Bytes from peers ÷ bytes from peers and CDN" + steps,
                    offload_over_time(reports));
  page +=
      html_plot("CDN egress over time", "What the CDN sends" + steps, egress_over_time(reports));
  page += html_plot("Startup delay",
                    "From the wish to the first frame: of what was fetched, and of all that did "
                    "not follow by itself.",
                    startup_cdf(reports));
  page += html_plot(
      "Offload by popularity",
      "Tenths of the catalogue, the most popular tracks first. No bar: nothing was fetched.",
      offload_by_popularity(reports));
  page += html_plot("Where what was heard came from", "", heard_from(reports));
  page += html_plot("CDN bytes by reason",
                    "startup: heads. urgent, rescue: peers were too slow. no_peer: nobody had it. "
                    "seed_swarm: the swarm's one copy. prefetch: the next track's head.",
                    cdn_by_reason(reports));
  page += html_plot("What became of what was received",
                    "duplicate: right, but another source had brought it, or it was not needed any "
                    "more. cut off: the CDN sent it in vain.",
                    fates(reports));
  page += html_plots_end() + html_table(bytes_table(reports));
  if (w.links.size() > 1) page += html_table(class_table(reports));
  return page + html_end();
}

}  // namespace tributary::demo
