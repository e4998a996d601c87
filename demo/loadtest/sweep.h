// Many load tests that differ in a few values: the commands that run them, on one machine or many,
// and their results in one table.
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"

namespace tributary::demo {

// `sweeps` are of the form "listeners.count=100,200". One command for each combination: `command`,
// a --set for each value, and a --report of its own below `folder`; quoted for a shell. Errors:
// kInvalid.
Result<std::vector<std::string>> sweep_commands(const std::vector<std::string>& command,
                                                const std::vector<std::string>& sweeps,
                                                const std::string& folder);

// The name of the folder of one point's report: its settings, without slashes.
std::string point_folder(std::string settings);

// The text in single quotes where a shell would take it for more than a word.
std::string shell_quoted(const std::string& text);

// One policy's line of one report.
struct MergedLine {
  std::string point;  // the report's folder
  std::string policy;
  double offload = 0;
  double cdn_bytes = 0;
  double startup_p50_ms = 0;
  double startup_p99_ms = 0;
  double stalled_plays = 0;  // of all
  double rebuffering = 0;
  double cost = 0;
};

// Reads the report.json of each folder. Errors: kNotFound and kInvalid, with the path.
Result<std::vector<MergedLine>> merge_reports(const std::vector<std::string>& folders);
std::vector<std::string> render_merged(const std::vector<MergedLine>& lines);
std::string render_merged_csv(const std::vector<MergedLine>& lines);

}  // namespace tributary::demo
