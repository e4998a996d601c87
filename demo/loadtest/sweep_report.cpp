#include "demo/loadtest/sweep_report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "demo/human.h"
#include "demo/loadtest/class_table.h"
#include "demo/loadtest/figures.h"
#include "demo/loadtest/html_page.h"
#include "demo/loadtest/svg_plot.h"

namespace tributary::demo {
namespace {

using Points = std::vector<SweepPoint>;
using sim::LoadClass;
using sim::LoadReport;
using sim::Origin;

std::string money(const LoadReport& report, const Prices& prices) {
  char text[64];
  std::snprintf(text, sizeof text, "%.4g ", cost(report, prices));
  return text + prices.currency;
}

std::vector<double> places_of(const Points& points) {
  std::vector<std::string> values;
  for (const SweepPoint& point : points) values.push_back(point.value);
  return sweep_places(values);
}

double highest(const std::vector<PlotLine>& lines, double least) {
  double most = least;
  for (const PlotLine& line : lines) {
    for (const auto& point : line.points) most = std::max(most, point.second);
  }
  return most;
}

// A line for each policy.
std::vector<PlotLine> by_policy(const Points& points,
                                const std::function<double(const LoadReport&)>& value) {
  const std::vector<double> places = places_of(points);
  std::vector<PlotLine> lines;
  for (std::size_t p = 0; p < points.front().reports.size(); ++p) {
    PlotLine line{points.front().reports[p].policy, {}};
    for (std::size_t i = 0; i < points.size(); ++i) {
      line.points.emplace_back(places[i], value(points[i].reports[p]));
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

// A line for each policy and class; no point where a class has nobody.
std::vector<PlotLine> by_class(const Points& points,
                               const std::function<double(const LoadClass&)>& value) {
  const std::vector<double> places = places_of(points);
  std::vector<PlotLine> lines;
  for (std::size_t p = 0; p < points.front().reports.size(); ++p) {
    const LoadReport& first = points.front().reports[p];
    for (std::size_t c = 0; c < first.by_class.size(); ++c) {
      PlotLine line{first.by_class[c].name + ", " + first.policy, {}};
      for (std::size_t i = 0; i < points.size(); ++i) {
        const LoadClass& of_class = points[i].reports[p].by_class[c];
        if (of_class.listeners > 0) line.points.emplace_back(places[i], value(of_class));
      }
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

double stalled_percent(const sim::LoadFigures& figures) {
  return 100 * part_of(figures.stalled_plays, figures.plays);
}

double megabits(BitRate rate) { return static_cast<double>(rate.bits_per_second()) / 1e6; }

std::string plots(const Scenario& scenario, const Points& points) {
  const std::vector<double> places = places_of(points);
  const PlotAxis x{scenario.sweep.title, std::max(places.back(), 1e-3)};
  const auto plot = [&](const std::string& title, const std::string& note, const PlotAxis& y,
                        const std::vector<PlotLine>& lines) {
    return html_plot(title, note, line_plot(title, x, y, lines));
  };
  std::string out = plot("Offload", "Bytes from peers ÷ bytes from peers and CDN.",
                         {"offload, %", 100}, by_policy(points, [](const LoadReport& r) {
                           return 100 * part_of(r.received[Origin::kPeers], r.received.total());
                         }));
  const auto stalls = by_policy(points, stalled_percent);
  out += plot("Plays that stalled", "", {"of all plays, %", highest(stalls, 0.1)}, stalls);
  out +=
      plot("Upload fairness", "Jain's index of what each listener sent: 100 % where all are alike.",
           {"Jain's index, %", 100}, by_policy(points, [](const LoadReport& r) {
             return 100 * part_of(r.fairness(), sim::kWhole);
           }));
  const auto cdn = by_policy(
      points, [](const LoadReport& r) { return static_cast<double>(r.cdn.bytes.count()) / 1e6; });
  out += plot("CDN bytes", "", {"MB", highest(cdn, 0.1)}, cdn);
  const auto suffered = by_class(points, stalled_percent);
  out += plot("Plays that stalled, by class", "",
              {"of the class's plays, %", highest(suffered, 0.1)}, suffered);
  const auto got =
      by_class(points, [](const LoadClass& c) { return megabits(rate_from_peers(c)); });
  out += plot("What peers give a listener, by class", "The mean while he is there.",
              {"Mbit/s", highest(got, 0.01)}, got);
  const auto startup = by_class(points, [](const LoadClass& c) {
    return static_cast<double>(percentile(c.startups, 50).count()) / 1e3;
  });
  out += plot("Startup p50, by class", "", {"milliseconds", highest(startup, 10)}, startup);
  return out;
}

}  // namespace

std::vector<double> sweep_places(const std::vector<std::string>& values) {
  std::vector<double> places;
  for (const std::string& value : values) {
    char* end = nullptr;
    const double number = std::strtod(value.c_str(), &end);
    const bool grows = places.empty() ? number >= 0 : number > places.back();
    if (end == value.c_str() || !grows) break;
    places.push_back(number);
  }
  if (places.size() == values.size()) return places;
  places.clear();
  for (std::size_t i = 0; i < values.size(); ++i) places.push_back(static_cast<double>(i + 1));
  return places;
}

TextTable sweep_table(const Scenario& scenario, const Points& points) {
  TextTable table{{scenario.sweep.key, "policy", "offload", "CDN bytes", "cost", "startup p50",
                   "p99", "stalled", "rebuffering", "wasted", "Jain"},
                  {},
                  2};
  for (const SweepPoint& point : points) {
    for (const LoadReport& r : point.reports) {
      table.rows.push_back(
          {point.value, r.policy,
           fine_percent(part_of(r.received[Origin::kPeers], r.received.total())),
           human_bytes(r.cdn.bytes), money(r, scenario.prices),
           human_delay(percentile(r.startups, 50)), human_delay(percentile(r.startups, 99)),
           fine_percent(part_of(r.stalled_plays, r.plays)), fine_percent(rebuffering_ratio(r)),
           fine_percent(part_of(wasted(r), r.received.total())),
           fine_percent(part_of(r.fairness(), sim::kWhole))});
    }
  }
  return table;
}

TextTable sweep_classes(const Scenario& scenario, const Points& points) {
  TextTable table{{scenario.sweep.key, "policy", "class"}, {}, 3};
  for (const std::string& head : class_heads()) table.head.push_back(head);
  for (const SweepPoint& point : points) {
    for (const LoadReport& report : point.reports) {
      for (const LoadClass& of_class : report.by_class) {
        if (of_class.listeners == 0) continue;
        std::vector<std::string> row = {point.value, report.policy, of_class.name};
        for (std::string& cell : class_cells(of_class)) row.push_back(std::move(cell));
        table.rows.push_back(std::move(row));
      }
    }
  }
  return table;
}

std::string render_sweep_html(const Scenario& scenario, const Points& points,
                              const LoadLabel& label) {
  const sim::Workload& w = scenario.workload;
  const std::string what = human_count(w.listeners, "listener") + ", " + human_clock(w.length) +
                           " of virtual time, figures from " + human_clock(scenario.setup.warm_up) +
                           " on, seed " + std::to_string(label.seed);
  return html_begin({scenario.name, scenario.title, what, label.command}) +
         html_table(sweep_table(scenario, points)) + html_plots_begin() + plots(scenario, points) +
         html_plots_end() + html_table(sweep_classes(scenario, points)) + html_end();
}

}  // namespace tributary::demo
