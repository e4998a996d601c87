// A load test's figures for other programs.
#pragma once

#include <string>
#include <vector>

#include "demo/loadtest/html_report.h"
#include "demo/loadtest/scenario_file.h"
#include "engine/base/result.h"
#include "engine/sim/load_test.h"

namespace tributary::demo {

// Everything in one document; described in demo/loadtest/scenarios/README.md.
std::string render_json(const Scenario& scenario, const std::vector<sim::LoadReport>& reports,
                        const LoadLabel& label);
// A line for each policy and step of time: policy,time_s,cdn_bytes,peer_bytes,online.
std::string render_time_csv(const std::vector<sim::LoadReport>& reports);

// Makes the folder that the option names, where it is missing; before the work that fills it.
Result<void> make_folder(const std::string& folder, const std::string& option);
// Writes report.html, report.json and time.csv there.
Result<void> write_report(const std::string& folder, const Scenario& scenario,
                          const std::vector<sim::LoadReport>& reports, const LoadLabel& label);

}  // namespace tributary::demo
