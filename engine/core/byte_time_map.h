// The byte<->time relation of one file: a monotone piecewise-linear curve through known points.
#pragma once

#include <vector>

#include "engine/base/units.h"
#include "engine/core/torrent_info.h"

namespace tributary::core {

// Immutable value. Offsets are within the file. Between points time is linear in bytes; before the
// first point all bytes are needed at time zero (headers).
class ByteTimeMap {
 public:
  // Nothing known: everything is due at time zero, as if the file lasted no time.
  ByteTimeMap() = default;
  // Constant rate: size / duration. A duration of zero or less is unknown.
  static ByteTimeMap linear(Bytes size, Duration duration);
  // From points of any order and honesty: out-of-order, duplicate and out-of-range ones are
  // dropped.
  static ByteTimeMap from_points(Bytes size, Duration duration, std::vector<TimeHint> points);

  bool known() const { return duration_ > Duration::zero(); }
  Bytes size() const { return size_; }
  Duration duration() const { return duration_; }
  // The mean rate; zero when unknown.
  BitRate bit_rate() const { return rate_of(size_, duration_); }

  // When the byte is needed, from the start of the media; within [0, duration()].
  Duration time_at(Bytes offset) const;
  // The first byte that is needed at or after the time, that is the least o with time_at(o) >=
  // time; within [0, size()], and zero when nothing is known.
  Bytes offset_at(Duration time) const;
  // The first known point within [time, time + tolerance], where a page begins and so all before it
  // end; offset_at(time) where there is none.
  Bytes page_at(Duration time, Duration tolerance) const;

 private:
  Bytes size_;
  Duration duration_{};
  std::vector<TimeHint> points_;  // strictly ascending in both; first time 0, last {duration, size}
};

}  // namespace tributary::core
