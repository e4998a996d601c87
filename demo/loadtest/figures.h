// What an operator wants to know of a load test's report, worked out of its counts.
#pragma once

#include <string>
#include <vector>

#include "demo/loadtest/scenario_file.h"
#include "engine/sim/load_test.h"

namespace tributary::demo {

// Parts are of 0 … 1; zero where there is nothing to be a part of.
double part_of(Bytes part, Bytes whole);
double part_of(std::int64_t part, std::int64_t whole);

// The q-th percentile, 0 … 100, of ascending values; zero without any.
Duration percentile(const std::vector<Duration>& ascending, double q);

// The CDN's rate in each step of time after the warm-up, ascending.
std::vector<BitRate> cdn_rates(const sim::LoadReport& report, Duration warm_up);
BitRate percentile(const std::vector<BitRate>& ascending, double q);

// What the CDN would charge, in the currency's units.
double cost(const sim::LoadReport& report, const Prices& prices);

// Stalled time of all the time of playing, stalls included.
double rebuffering_ratio(const sim::LoadFigures& figures);

// Of all plays, ascending: what was fetched and what was in the cache.
std::vector<Duration> all_startups(const sim::LoadFigures& figures);

// Bytes that crossed the network for nothing: duplicates, corrupt ones, and what was cut off.
Bytes wasted(const sim::LoadReport& report);

std::string fine_percent(double part);  // "0.05 %", "12.3 %"
std::string fine_number(double value);  // "0.000", "0.013", "12.3"

}  // namespace tributary::demo
