// --unchoker of the commands that upload.
#pragma once

#include <optional>
#include <string_view>

#include "engine/base/result.h"
#include "player/client/host.h"

namespace tributary::demo {

// Whom to upload to, by name.
Result<std::optional<core::Unchoker>> parse_unchoker(std::string_view text);

inline constexpr const char* kUnchokerHelp =
    "Whom to upload to: tit-for-tat, tit-for-tat-fastest, prop-share or need-first";

}  // namespace tributary::demo
