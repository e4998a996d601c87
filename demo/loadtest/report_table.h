// A load test's figures as a table, one row a figure and one column a policy. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "demo/loadtest/scenario_file.h"
#include "engine/sim/load_test.h"

namespace tributary::demo {

struct ReportRow {
  std::string name;
  std::function<std::string(const sim::LoadReport&)> cell;
  bool part = false;  // of what the row above tells
};

// `live`: of real nodes.
std::vector<ReportRow> report_rows(const Scenario& scenario, bool live);

// Lines for a terminal.
std::vector<std::string> render_table(const Scenario& scenario,
                                      const std::vector<sim::LoadReport>& reports);

}  // namespace tributary::demo
