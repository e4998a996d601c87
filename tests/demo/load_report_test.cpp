#include <doctest/doctest.h>

#include <string>

#include "demo/loadtest/figures.h"
#include "demo/loadtest/html_report.h"
#include "demo/loadtest/report_files.h"
#include "demo/loadtest/report_table.h"
#include "demo/loadtest/svg_plot.h"

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

TEST_CASE("axes end at round numbers") {
  const std::string plot = line_plot("t", {"x", 60}, {"y", 97}, {{"a", {{0, 0}, {60, 97}}}});
  CHECK(plot.find(">100</text>") != std::string::npos);
  CHECK(plot.find(">60</text>") != std::string::npos);
}

}  // namespace
}  // namespace tributary::demo
