// When enough was shared.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/units.h"

namespace tributary::demo {

struct SharingLimits {
  std::optional<Duration> time;
  std::optional<std::int64_t> ratio;  // percent of what was taken

  // Whichever limit is reached first ends it; without any, nothing does.
  bool reached(Duration shared_for, Bytes given, Bytes taken) const {
    if (time && shared_for >= *time) return true;
    return ratio && given.count() * 100 >= taken.count() * *ratio;
  }
};

}  // namespace tributary::demo
