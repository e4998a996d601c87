#include <doctest/doctest.h>

#include <string>

#include "demo/loadtest/class_table.h"
#include "demo/loadtest/figures.h"
#include "demo/loadtest/html_report.h"
#include "demo/loadtest/report_files.h"
#include "demo/loadtest/report_table.h"
#include "demo/loadtest/svg_plot.h"
#include "demo/loadtest/sweep_report.h"

namespace tributary::demo {
namespace {

using sim::Origin;

sim::LoadReport report_of(const std::string& policy) {
  sim::LoadReport report;
  report.policy = policy;
  report.plays = 200;
  report.stalled_plays = 1;
  for (int i = 1; i <= 100; ++i) report.startups.push_back(i * 10ms);
  report.received[Origin::kPeers] = Bytes(900'000'000);
  report.received[Origin::kCdn] = Bytes(100'000'000);
  report.cdn.bytes = Bytes(2'000'000'000);
  report.cdn.requests = 20'000;
  report.bin = 1min;
  for (int i = 0; i < 10; ++i) {
    sim::LoadBin bin;
    bin.received[Origin::kCdn] = Bytes(75'000 * (i + 1));
    report.bins.push_back(bin);
  }
  return report;
}

TEST_CASE("percentiles are by nearest rank, the cost by bytes and requests") {
  const sim::LoadReport report = report_of("adaptive");
  CHECK(percentile(report.startups, 50) == 500ms);
  CHECK(percentile(report.startups, 99) == 990ms);
  CHECK(percentile(report.startups, 0) == 10ms);
  CHECK(percentile(std::vector<Duration>{}, 50) == 0ms);
  CHECK(cost(report, {"EUR", 50'000, 7'500}) == doctest::Approx(2 * 0.05 + 2 * 0.0075));
  CHECK(cdn_rates(report, 5min).size() == 5);
  CHECK(percentile(cdn_rates(report, 0min), 100) == 100_kbps);
}

TEST_CASE("the table has a column a policy, and lines as wide as one another") {
  const auto lines = render_table({}, {report_of("adaptive"), report_of("spotify")});
  CHECK(lines.front().find("adaptive") != std::string::npos);
  CHECK(lines.front().find("spotify") != std::string::npos);
  CHECK(lines[2].find("90.0 %") != std::string::npos);
}

TEST_CASE("of real nodes the table tells what each took of the machine, in place of a digest") {
  sim::LoadReport report = report_of("adaptive");
  const auto cells = [&report] {
    std::string all;
    for (const std::string& line : render_table({}, {report})) all += line + "\n";
    return all;
  };
  CHECK(cells().find("digest") != std::string::npos);
  report.machine = sim::MachineUse{6s, 100s, Bytes(3'210'000)};
  CHECK(cells().find("digest") == std::string::npos);
  CHECK(cells().find("6.00 %") != std::string::npos);
  CHECK(cells().find("3.21 MB") != std::string::npos);
  const std::string json = render_json({}, {report}, {"tributary loadtest --live", 7, true});
  CHECK(json.find("\"processor_per_node\": 0.06") != std::string::npos);
  CHECK(json.find("\"live\": true") != std::string::npos);
}

TEST_CASE("the page holds all that it needs, and nothing of a name is taken for markup") {
  Scenario scenario;
  scenario.name = "<script>alert(1)</script>";
  scenario.title = "a & b";
  const std::string page = render_html(scenario, {report_of("adaptive"), report_of("spotify")},
                                       {"tributary loadtest", 7});
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("a &amp; b") != std::string::npos);
  CHECK(page.find("http") == std::string::npos);
  CHECK(page.find("seed 7") != std::string::npos);
  CHECK(page.find("nan") == std::string::npos);
  CHECK(page.find("inf") == std::string::npos);
}

sim::LoadClass class_of(const std::string& name, std::int64_t stalled) {
  sim::LoadClass made;
  made.name = name;
  made.listeners = 10;
  made.plays = 100;
  made.stalled_plays = stalled;
  made.online = 100s;
  made.received[Origin::kPeers] = Bytes(12'500'000);
  return made;
}

TEST_CASE("each class's figures stand beside the others'") {
  sim::LoadReport report = report_of("adaptive");
  report.by_class = {class_of("honest", 5), class_of("free-rider", 50)};
  CHECK(rate_from_peers(report.by_class[0]) == 1_Mbps);
  const auto lines = terminal_lines(class_table({report}));
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].find("honest") == 0);
  CHECK(lines[1].find("5.00 %") != std::string::npos);
  CHECK(lines[2].find("50.0 %") != std::string::npos);
}

TEST_CASE("a sweep's values are places on an axis: their numbers, or their turn") {
  CHECK(sweep_places({"0%", "2.5%", "40%"}) == std::vector<double>{0, 2.5, 40});
  CHECK(sweep_places({"adaptive", "other"}) == std::vector<double>{1, 2});
  CHECK(sweep_places({"5", "1"}) == std::vector<double>{1, 2});
}

TEST_CASE("a sweep's page has a line for each class that has listeners") {
  Scenario scenario;
  scenario.sweep = {"links.1.share", {"0%", "50%"}, "riders, %"};
  std::vector<SweepPoint> points;
  for (const std::string& value : scenario.sweep.values) {
    sim::LoadReport report = report_of("adaptive");
    report.by_class = {class_of("honest", 5), class_of("free-rider", 50)};
    if (value == "0%") report.by_class[1] = {};
    points.push_back({value, {report}});
  }
  CHECK(sweep_classes(scenario, points).rows.size() == 3);
  CHECK(sweep_table(scenario, points).rows.size() == 2);
  const std::string page = render_sweep_html(scenario, points, {"tributary loadtest", 7});
  CHECK(page.find("riders, %") != std::string::npos);
  CHECK(page.find("seed 7") != std::string::npos);
  CHECK(page.find("nan") == std::string::npos);
}

TEST_CASE("a legend that is wider than the plot goes on in another row") {
  const std::vector<std::string> names(6, "a name of some twenty");
  const std::string plot = stacked_plot("t", {"%", 100}, names, {{"bar", {1, 2, 3, 4, 5, 6}}});
  CHECK(plot.find("y=\"10.0\" width=\"12.0\"") != std::string::npos);
  CHECK(plot.find("y=\"30.0\" width=\"12.0\"") != std::string::npos);
}

TEST_CASE("a report of nothing is a page all the same") {
  sim::LoadReport nothing;
  nothing.policy = "adaptive";
  nothing.bin = 1min;
  const std::string page = render_html({}, {nothing}, {});
  CHECK(page.find("nan") == std::string::npos);
  CHECK(page.find("inf") == std::string::npos);
}

TEST_CASE("the CSV has a line a policy and step") {
  const std::string csv = render_time_csv({report_of("adaptive")});
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 11);
  CHECK(csv.find("adaptive,60,75000,0,0\n") != std::string::npos);
}

// Its last text is the axis's label, eight below which the picture ends.
TEST_CASE("a plot is as high as what it shows, however many rows of names stand above") {
  for (const std::size_t series : {1, 6, 12}) {
    const std::vector<std::string> names(series, "a name of some twenty");
    const PlotBars bar{"bar", std::vector<double>(series, 1.0)};
    const std::string plot = stacked_plot("t", {"axis", 100}, names, {bar});
    const std::size_t view = plot.find("viewBox=\"0 0 640 ") + 17;
    const double height = std::stod(plot.substr(view));
    const std::size_t label = plot.rfind("<text", plot.find(">axis<"));
    const double y = std::stod(plot.substr(plot.find("y=\"", label) + 3));
    CHECK(y == doctest::Approx(height - 8));
  }
}

TEST_CASE("axes end at round numbers") {
  const std::string plot = line_plot("t", {"x", 60}, {"y", 97}, {{"a", {{0, 0}, {60, 97}}}});
  CHECK(plot.find(">100</text>") != std::string::npos);
  CHECK(plot.find(">60</text>") != std::string::npos);
}

}  // namespace
}  // namespace tributary::demo
