#include "engine/core/byte_time_map.h"

#include <algorithm>
#include <tuple>

namespace tributary::core {

ByteTimeMap ByteTimeMap::linear(Bytes size, Duration duration) {
  return from_points(size, duration, {});
}

ByteTimeMap ByteTimeMap::from_points(Bytes size, Duration duration, std::vector<TimeHint> points) {
  ByteTimeMap map;
  map.size_ = std::max(size, 0_B);
  if (duration <= Duration::zero() || size <= 0_B) return map;
  map.duration_ = duration;
  std::sort(points.begin(), points.end(), [](const TimeHint& a, const TimeHint& b) {
    return std::tie(a.time, a.offset) < std::tie(b.time, b.offset);
  });
  map.points_.push_back({Duration::zero(), 0_B});
  for (const TimeHint& p : points) {
    TimeHint& last = map.points_.back();
    if (p.time < Duration::zero() || p.time >= duration || p.offset >= size) continue;
    if (p.time == Duration::zero() && last.time == Duration::zero() && p.offset > last.offset) {
      last.offset = p.offset;  // headers: all bytes before the media are due at once
    } else if (p.time > last.time && p.offset > last.offset) {
      map.points_.push_back(p);
    }
  }
  map.points_.push_back({duration, size});
  return map;
}

Duration ByteTimeMap::time_at(Bytes offset) const {
  if (!known() || offset <= points_.front().offset) return Duration::zero();
  if (offset >= size_) return duration_;
  const auto next = std::upper_bound(points_.begin(), points_.end(), offset,
                                     [](Bytes o, const TimeHint& p) { return o < p.offset; });
  const TimeHint& b = *next;
  const TimeHint& a = *(next - 1);
  return a.time + Duration(mul_div((offset - a.offset).count(), (b.time - a.time).count(),
                                   (b.offset - a.offset).count()));
}

Bytes ByteTimeMap::offset_at(Duration time) const {
  if (!known() || time <= Duration::zero()) return 0_B;
  if (time >= duration_) return size_;
  const auto next = std::upper_bound(points_.begin(), points_.end(), time,
                                     [](Duration t, const TimeHint& p) { return t < p.time; });
  const TimeHint& b = *next;
  const TimeHint& a = *(next - 1);
  const std::int64_t span = (b.time - a.time).count();
  const Int128 scaled =
      static_cast<Int128>((time - a.time).count()) * (b.offset - a.offset).count();
  return a.offset + Bytes(static_cast<std::int64_t>((scaled + span - 1) / span));  // rounded up
}

Bytes ByteTimeMap::page_at(Duration time, Duration tolerance) const {
  const auto next = std::lower_bound(points_.begin(), points_.end(), time,
                                     [](const TimeHint& p, Duration t) { return p.time < t; });
  const bool near = next != points_.end() && next->time - time <= tolerance;
  return near ? next->offset : offset_at(time);
}

}  // namespace tributary::core
