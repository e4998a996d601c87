// One scenario at several values of one key, side by side. Pure.
#pragma once

#include <string>
#include <vector>

#include "demo/loadtest/html_report.h"
#include "demo/loadtest/scenario_file.h"
#include "demo/loadtest/text_table.h"
#include "engine/sim/load_test.h"

namespace tributary::demo {

struct SweepPoint {
  std::string value;  // "20%"
  std::vector<sim::LoadReport> reports;
};

// A line for each value and policy.
TextTable sweep_table(const Scenario& scenario, const std::vector<SweepPoint>& points);
// A line for each value, policy and link class that has listeners.
TextTable sweep_classes(const Scenario& scenario, const std::vector<SweepPoint>& points);

std::string render_sweep_html(const Scenario& scenario, const std::vector<SweepPoint>& points,
                              const LoadLabel& label);

// The number that a value begins with: 20 of "20%". Where some value begins with none, or they do
// not grow, each stands for its place in the row, from 1.
std::vector<double> sweep_places(const std::vector<std::string>& values);

}  // namespace tributary::demo
