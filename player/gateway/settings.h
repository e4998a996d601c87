// What the dashboard may change of a running client: its policy, its limits, whether it shares.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/core/policy.h"
#include "player/client/engine_view.h"

namespace tributary::player {

// As JSON: {"policy": "spotify", "up_bps": 0, "down_bps": 2000000, "upload": true}. A rate of 0 is
// no limit, others are 1,000 … 10^12.
struct Settings {
  std::optional<core::Policy> policy;
  std::optional<BitRate> up;  // of all torrents together, as the next
  std::optional<BitRate> down;
  std::optional<bool> upload;
};

// What is left out stays as it is. Errors are one line: what is wrong and how to mend it.
Result<Settings> parse_settings(std::string_view json);

// The same of what holds now.
std::string settings_json(const EngineView& engine);

}  // namespace tributary::player
