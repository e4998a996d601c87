// What a replay came to, beside what was recorded. Pure.
#pragma once

#include <vector>

#include "demo/loadtest/text_table.h"
#include "engine/sim/recording.h"
#include "engine/sim/replay.h"

namespace tributary::demo {

// A column for the recording, and two for each replay: its figures, and what they are more or less.
TextTable replay_table(const sim::Recording& recording,
                       const std::vector<sim::ReplayReport>& replays);

// What was assumed, for the recording does not tell it; one sentence each.
std::vector<std::string> replay_notes(const sim::Recording& recording,
                                      const std::vector<sim::ReplayReport>& replays);

// One JSON object: `recorded` and `replays[]`, in the units of the trace.
std::string replay_json(const sim::Recording& recording,
                        const std::vector<sim::ReplayReport>& replays);

}  // namespace tributary::demo
