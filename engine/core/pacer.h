// How often something may happen: so many at once, then one in each interval.
#pragma once

#include <algorithm>

#include "engine/base/units.h"

namespace tributary::core {

struct Pace {
  Duration interval;  // on average, > 0
  int burst = 1;      // at once, >= 1
};

// Tracks when all that was allowed will have been paid for (the generic cell rate algorithm).
class Pacer {
 public:
  // Whether it may happen now; if so, it counts.
  bool allow(const Pace& pace, TimePoint now) {
    const TimePoint paid = std::max(paid_at_, now) + pace.interval;
    if (paid - now > pace.interval * pace.burst) return false;
    paid_at_ = paid;
    return true;
  }

 private:
  TimePoint paid_at_{};
};

}  // namespace tributary::core
