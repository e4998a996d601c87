#include "engine/core/peer.h"

#include <algorithm>

namespace tributary::core {
namespace {

std::int64_t second_of(TimePoint t) {
  return std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
}

// A second's place in a ring of `slots`; the window may reach back before the clock's origin.
std::size_t slot_in(std::int64_t second, std::int64_t slots) {
  return static_cast<std::size_t>((second % slots + slots) % slots);
}

}  // namespace

void RecentBytes::add(TimePoint now, Bytes bytes) {
  constexpr auto kSlots = static_cast<std::int64_t>(kSeconds);
  const std::int64_t second = second_of(now);
  for (std::int64_t s = std::max(second_ + 1, second - kSlots + 1); s <= second; ++s) {
    bytes_[slot_in(s, kSlots)] = Bytes();
  }
  second_ = std::max(second_, second);
  bytes_[slot_in(second, kSlots)] += bytes;
}

Bytes RecentBytes::sum(TimePoint now) const {
  constexpr auto kSlots = static_cast<std::int64_t>(kSeconds);
  Bytes sum;
  for (std::int64_t s = std::max(second_, second_of(now)) - kSlots + 1; s <= second_; ++s) {
    sum += bytes_[slot_in(s, kSlots)];
  }
  return sum;
}

}  // namespace tributary::core
