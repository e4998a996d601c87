// When to look for peers anew in a place that names no interval of its own: the DHT.
#pragma once

#include <algorithm>

#include "engine/base/units.h"

namespace tributary::core {

struct SearchPace {
  Duration regular;
  // While peers are needed: first after this, then twice as long after each in vain, up to `early`.
  Duration first;
  Duration early;
};

class SearchTimer {
 public:
  explicit SearchTimer(const SearchPace& pace) : pace_(pace), wait_(pace.first) {}

  // The first search is due at `first`; later calls change nothing.
  void start(TimePoint first) {
    if (!started_) regular_at_ = early_at_ = first;
    started_ = true;
  }
  void set_need_peers(bool need) {
    need_peers_ = need;
    if (!need) wait_ = pace_.first;
  }
  // Whether to search now; if so, the next search is due an interval from now.
  bool poll(TimePoint now) {
    if (now < next_deadline()) return false;
    regular_at_ = now + pace_.regular;
    early_at_ = now + wait_;
    wait_ = std::min(2 * wait_, pace_.early);
    return true;
  }
  TimePoint next_deadline() const { return need_peers_ ? early_at_ : regular_at_; }

 private:
  SearchPace pace_;
  Duration wait_;  // after the next search, while peers are needed
  TimePoint regular_at_ = kNever;
  TimePoint early_at_ = kNever;
  bool started_ = false;
  bool need_peers_ = false;
};

}  // namespace tributary::core
