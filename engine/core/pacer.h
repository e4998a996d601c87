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
    const bool may = may_happen(pace, now);
    if (may) count(pace, now);
    return may;
  }
  // The two halves of it, where something else has a say as well.
  bool may_happen(const Pace& pace, TimePoint now) const {
    return paid_after(pace, now) - now <= pace.interval * pace.burst;
  }
  void count(const Pace& pace, TimePoint now) { paid_at_ = paid_after(pace, now); }

 private:
  TimePoint paid_after(const Pace& pace, TimePoint now) const {
    return std::max(paid_at_, now) + pace.interval;
  }

  TimePoint paid_at_{};
};

}  // namespace tributary::core
