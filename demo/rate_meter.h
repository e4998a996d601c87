// What a growing count of bytes comes to in bits a second: now, and over the last minute. Pure.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "engine/base/units.h"

namespace tributary::demo {

class RateMeter {
 public:
  // "Now" is the mean over so long: short enough to see a source take over, long enough not to
  // flicker with each block.
  static constexpr Duration kWindow = 2s;
  static constexpr std::size_t kHistory = 60;  // seconds

  // The count so far. Times and counts must not fall.
  void add(TimePoint now, Bytes total);

  BitRate now() const;
  // One rate a second, oldest first.
  const std::vector<BitRate>& history() const { return history_; }

 private:
  struct Sample {
    TimePoint at;
    Bytes total;
  };
  std::deque<Sample> recent_;
  Sample second_{};  // where the present second began
  std::vector<BitRate> history_;
};

// The last `width` rates as bars of eight heights; `top` is the full height. A rate that is not
// zero is always visible.
std::string sparkline(const std::vector<BitRate>& rates, BitRate top, int width);

}  // namespace tributary::demo
