#include "demo/loadtest/figures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <iterator>

namespace tributary::demo {
namespace {

template <class T>
T at_percentile(const std::vector<T>& ascending, double q) {
  if (ascending.empty()) return T{};
  // The nearest rank: the least value that is not below q percent of all.
  const double rank = std::ceil(q / 100 * static_cast<double>(ascending.size()));
  return ascending[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace

double part_of(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double part_of(Bytes part, Bytes whole) { return part_of(part.count(), whole.count()); }

Duration percentile(const std::vector<Duration>& ascending, double q) {
  return at_percentile(ascending, q);
}

BitRate percentile(const std::vector<BitRate>& ascending, double q) {
  return at_percentile(ascending, q);
}

std::vector<BitRate> cdn_rates(const sim::LoadReport& report, Duration warm_up) {
  std::vector<BitRate> rates;
  Duration at{};
  for (const sim::LoadBin& bin : report.bins) {
    const Bytes bytes = bin.received[sim::Origin::kCdn];
    if (at >= warm_up) rates.push_back(rate_of(bytes, report.bin));
    at += report.bin;
  }
  std::sort(rates.begin(), rates.end());
  return rates;
}

double cost(const sim::LoadReport& report, const Prices& prices) {
  constexpr double kMillionths = 1e6;
  const double gigabytes = static_cast<double>(report.cdn.bytes.count()) / 1e9;
  const double requests = static_cast<double>(report.cdn.requests) / 10'000;
  return (gigabytes * static_cast<double>(prices.per_gb) +
          requests * static_cast<double>(prices.per_10000_requests)) /
         kMillionths;
}

double rebuffering_ratio(const sim::LoadFigures& figures) {
  return part_of(figures.stalled.count(), (figures.stalled + figures.heard).count());
}

std::vector<Duration> all_startups(const sim::LoadFigures& figures) {
  std::vector<Duration> all;
  std::merge(figures.startups.begin(), figures.startups.end(), figures.cached_startups.begin(),
             figures.cached_startups.end(), std::back_inserter(all));
  return all;
}

std::string fine_percent(double part) {
  char text[32];
  std::snprintf(text, sizeof text, part < 0.1 ? "%.2f %%" : "%.1f %%", part * 100);
  return text;
}

std::string fine_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 1 ? "%.3f" : "%.1f", value);
  return text;
}

Bytes wasted(const sim::LoadReport& report) {
  return report.ledger.duplicate + report.ledger.corrupt + report.cdn.cut_off;
}

}  // namespace tributary::demo
