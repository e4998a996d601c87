// Reads the trace of `play --trace` as a session that can be replayed. Nothing in it is trusted: it
// may come from anybody.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/sim/recording.h"

namespace tributary::demo {

// Lines of events that are not known are passed over. Errors: kInvalid, with the line.
Result<sim::Recording> parse_recording(std::string_view text, const std::string& source);
// Errors: kNotFound as well.
Result<sim::Recording> read_recording(const std::string& path);

}  // namespace tributary::demo
