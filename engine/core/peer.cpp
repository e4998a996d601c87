#include "engine/core/peer.h"

#include <algorithm>

namespace tributary::core {
namespace {

// A step's place in the ring; the window may reach back before the clock's origin.
std::size_t slot_of(std::int64_t step) {
  constexpr std::int64_t kSlots = RecentBytes::kSteps;
  return static_cast<std::size_t>((step % kSlots + kSlots) % kSlots);
}

}  // namespace

std::int64_t RecentBytes::number(TimePoint t) const {
  const std::int64_t at = t.time_since_epoch().count();
  const std::int64_t step = step_.count();
  return at >= 0 ? at / step : -((-at + step - 1) / step);
}

void RecentBytes::add(TimePoint now, Bytes bytes) {
  const std::int64_t step = number(now);
  auto& [steps, last] = window_.edit();
  for (std::int64_t s = std::max(last + 1, step - kSteps + 1); s <= step; ++s) {
    steps[slot_of(s)] = Bytes();
  }
  last = std::max(last, step);
  steps[slot_of(step)] += bytes;
}

Bytes RecentBytes::sum(TimePoint now, std::int64_t steps) const {
  Bytes sum;
  const Window& window = *window_;
  const std::int64_t newest = std::max(window.last, number(now));
  for (std::int64_t s = newest - steps + 1; s <= window.last; ++s) sum += window.bytes[slot_of(s)];
  return sum;
}

}  // namespace tributary::core
