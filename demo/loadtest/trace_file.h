// A recorded workload: a CSV file of who listened to what and when, in place of a drawn one.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/sim/load_plan.h"

namespace tributary::demo {

// Lines `time_s,listener,track,action`, the first may be that heading; by time. The action is join,
// play (now, in place of all else), next (after the track that plays), skip or leave; only play and
// next name a track. Listeners and tracks are any texts. Who plays without a join joins by it; who
// never leaves stays. Errors: kNotFound, and kInvalid with the line.
Result<sim::LoadTrace> read_load_trace(const std::string& path);
Result<sim::LoadTrace> parse_load_trace(std::string_view text, const std::string& source);

}  // namespace tributary::demo
