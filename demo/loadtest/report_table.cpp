#include "demo/loadtest/report_table.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <utility>

#include "demo/human.h"
#include "demo/loadtest/figures.h"
#include "demo/text_width.h"

namespace tributary::demo {
namespace {

using Report = sim::LoadReport;
using sim::Origin;

constexpr int kColumn = 18;

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

using Value = std::function<double(const Report&)>;

auto share(Value value) {
  return [value = std::move(value)](const Report& r) { return fine_percent(value(r)); };
}

auto count(std::function<std::int64_t(const Report&)> value) {
  return [value = std::move(value)](const Report& r) { return std::to_string(value(r)); };
}

auto heard(Origin origin) {
  return share([origin](const Report& r) { return part_of(r.played[origin], r.played.total()); });
}

// Of the startup delays that `of` gives, ascending.
void add_startups(std::vector<ReportRow>& rows, const std::string& name,
                  const std::function<std::vector<Duration>(const Report&)>& of) {
  for (const int q : {50, 75, 90, 99}) {
    std::string at = "p" + std::to_string(q);
    if (q == 50) at.insert(0, name + " ");
    rows.push_back(
        {at, [of, q](const Report& r) { return human_delay(percentile(of(r), q)); }, q != 50});
  }
}

void add_sources(std::vector<ReportRow>& rows, const Scenario& scenario) {
  rows.push_back({"plays", count([](const Report& r) { return r.plays; })});
  rows.push_back({"offload of network bytes", share([](const Report& r) {
                    return part_of(r.received[Origin::kPeers], r.received.total());
                  })});
  if (scenario.workload.operators > 1) {
    rows.push_back({"peers' bytes from the own operator", share([](const Report& r) {
                      return part_of(r.from_operator, r.received[Origin::kPeers]);
                    }),
                    true});
  }
  rows.push_back({"heard from the CDN", heard(Origin::kCdn)});
  rows.push_back({"from peers", heard(Origin::kPeers), true});
  rows.push_back({"from the cache", heard(Origin::kCache), true});
}

void add_playback(std::vector<ReportRow>& rows) {
  add_startups(rows, "startup", [](const Report& r) { return r.startups; });
  rows.push_back({"from the cache, p50",
                  [](const Report& r) { return human_delay(percentile(r.cached_startups, 50)); },
                  true});
  add_startups(rows, "startup, cache hits too,", [](const Report& r) { return all_startups(r); });
  rows.push_back({"plays that stalled",
                  share([](const Report& r) { return part_of(r.stalled_plays, r.plays); })});
  rows.push_back({"stalls a play",
                  [](const Report& r) { return fine_number(part_of(r.stalls, r.plays)); }, true});
  rows.push_back({"rebuffering", share(rebuffering_ratio)});
}

void add_cdn(std::vector<ReportRow>& rows, const Scenario& scenario) {
  rows.push_back({"CDN bytes", [](const Report& r) { return human_bytes(r.cdn.bytes); }});
  for (const core::CdnReason reason : core::kCdnReasons) {
    const auto bytes = [reason](const Report& r) {
      return human_bytes(r.ledger.cdn_by_reason[reason]);
    };
    rows.push_back({std::string(core::to_string(reason)), bytes, true});
  }
  const auto rate = [warm_up = scenario.setup.warm_up](double q) {
    return [=](const Report& r) { return human_rate(percentile(cdn_rates(r, warm_up), q)); };
  };
  rows.push_back({"CDN requests", count([](const Report& r) { return r.cdn.requests; })});
  rows.push_back({"CDN rate, p95", rate(95)});
  rows.push_back({"peak", rate(100), true});
  rows.push_back({"cost", [prices = scenario.prices](const Report& r) {
                    return money(cost(r, prices), prices);
                  }});
}

void add_swarm(std::vector<ReportRow>& rows) {
  rows.push_back({"wasted bytes",
                  share([](const Report& r) { return part_of(wasted(r), r.received.total()); })});
  rows.push_back({"protocol overhead", share([](const Report& r) {
                    return part_of(r.message_bytes, r.received[Origin::kPeers]);
                  })});
  rows.push_back({"of it, to find peers", share([](const Report& r) {
                    return part_of(r.search_bytes, r.received[Origin::kPeers]);
                  }),
                  true});
  rows.push_back({"tracker announces", count([](const Report& r) { return r.announces; })});
  rows.push_back({"upload fairness (Jain)",
                  share([](const Report& r) { return part_of(r.fairness(), sim::kWhole); })});
}

// Of real nodes, whose course never repeats.
void add_machine(std::vector<ReportRow>& rows) {
  rows.push_back({"processor per node", share([](const Report& r) {
                    return part_of(r.machine->processor.count(), r.machine->online.count());
                  })});
  rows.push_back(
      {"memory per node", [](const Report& r) { return human_bytes(r.machine->memory); }});
}

}  // namespace

std::vector<ReportRow> report_rows(const Scenario& scenario, bool live) {
  std::vector<ReportRow> rows;
  add_sources(rows, scenario);
  add_playback(rows);
  add_cdn(rows, scenario);
  add_swarm(rows);
  if (live) {
    add_machine(rows);
  } else {
    rows.push_back({"digest", [](const Report& r) { return hex(r.digest); }});
  }
  return rows;
}

std::vector<std::string> render_table(const Scenario& scenario,
                                      const std::vector<sim::LoadReport>& reports) {
  const bool live = !reports.empty() && reports.front().machine;
  const std::vector<ReportRow> rows = report_rows(scenario, live);
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
