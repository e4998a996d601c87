#include "demo/loadtest/report_table.h"

#include <algorithm>
#include <cstdio>
#include <functional>

#include "demo/human.h"
#include "demo/loadtest/figures.h"
#include "demo/text_width.h"

namespace tributary::demo {
namespace {

using Report = sim::LoadReport;
using sim::Origin;

constexpr int kColumn = 18;

std::string percent(double part) {
  char text[32];
  std::snprintf(text, sizeof text, part < 0.1 ? "%.2f %%" : "%.1f %%", part * 100);
  return text;
}

std::string money(double sum, const Prices& prices) {
  char text[64];
  std::snprintf(text, sizeof text, "%.4g ", sum);
  return text + prices.currency;
}

std::string hex(std::uint64_t digest) {
  char text[32];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(digest));
  return text;
}

}  // namespace

std::vector<ReportRow> report_rows(const Scenario& scenario) {
  const auto count = [](auto value) {
    return [value](const Report& r) { return std::to_string(value(r)); };
  };
  const auto share = [](auto value) {
    return [value](const Report& r) { return percent(value(r)); };
  };
  const auto heard = [&share](Origin origin) {
    return share([origin](const Report& r) { return part_of(r.played[origin], r.played.total()); });
  };
  const auto startup = [](double q) {
    return [q](const Report& r) { return human_delay(percentile(r.startups, q)); };
  };
  const auto rate = [warm_up = scenario.setup.warm_up](double q) {
    return [=](const Report& r) { return human_rate(percentile(cdn_rates(r, warm_up), q)); };
  };
  const auto cached = [](const Report& r) {
    return human_delay(percentile(r.cached_startups, 50));
  };
  const auto price = [prices = scenario.prices](const Report& r) {
    return money(cost(r, prices), prices);
  };
  std::vector<ReportRow> rows = {
      {"plays", count([](const Report& r) { return r.plays; })},
      {"offload of network bytes", share([](const Report& r) {
         return part_of(r.received[Origin::kPeers], r.received.total());
       })},
      {"heard from the CDN", heard(Origin::kCdn)},
      {"from peers", heard(Origin::kPeers), true},
      {"from the cache", heard(Origin::kCache), true},
      {"startup p50", startup(50)},
      {"p75", startup(75), true},
      {"p90", startup(90), true},
      {"p99", startup(99), true},
      {"from the cache, p50", cached, true},
      {"plays that stalled",
       share([](const Report& r) { return part_of(r.stalled_plays, r.plays); })},
      {"rebuffering", share(rebuffering_ratio)},
      {"CDN bytes", [](const Report& r) { return human_bytes(r.cdn.bytes); }},
  };
  for (const core::CdnReason reason : core::kCdnReasons) {
    const auto bytes = [reason](const Report& r) {
      return human_bytes(r.ledger.cdn_by_reason[static_cast<std::size_t>(reason)]);
    };
    rows.push_back({std::string(core::to_string(reason)), bytes, true});
  }
  const std::vector<ReportRow> rest = {
      {"CDN requests", count([](const Report& r) { return r.cdn.requests; })},
      {"CDN rate, p95", rate(95)},
      {"peak", rate(100), true},
      {"cost", price},
      {"wasted bytes",
       share([](const Report& r) { return part_of(wasted(r), r.received.total()); })},
      {"protocol overhead",
       share([](const Report& r) { return part_of(r.message_bytes, r.received[Origin::kPeers]); })},
      {"tracker announces", count([](const Report& r) { return r.announces; })},
      {"upload fairness (Jain)",
       share([](const Report& r) { return part_of(r.fairness(), sim::kWhole); })},
      {"digest", [](const Report& r) { return hex(r.digest); }},
  };
  rows.insert(rows.end(), rest.begin(), rest.end());
  return rows;
}

std::vector<std::string> render_table(const Scenario& scenario,
                                      const std::vector<sim::LoadReport>& reports) {
  const std::vector<ReportRow> rows = report_rows(scenario);
  int widest = 0;
  for (const ReportRow& row : rows) widest = std::max(widest, text_width(row.name) + 2);
  std::string head = pad_right("", widest);
  for (const Report& report : reports) head += pad_left(report.policy, kColumn);
  std::vector<std::string> lines = {head};
  for (const ReportRow& row : rows) {
    std::string line = pad_right((row.part ? "  " : "") + row.name, widest);
    for (const Report& report : reports) line += pad_left(row.cell(report), kColumn);
    lines.push_back(line);
  }
  return lines;
}

}  // namespace tributary::demo
