#include "engine/core/peer.h"

#include <algorithm>

namespace tributary::core {
namespace {

std::int64_t second_of(TimePoint t) {
  return std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
}

}  // namespace

void RecentBytes::add(TimePoint now, Bytes bytes) {
  const std::int64_t second = second_of(now);
  const auto slots = static_cast<std::int64_t>(kSeconds);
  for (std::int64_t s = std::max(second_ + 1, second - slots + 1); s <= second; ++s) {
    bytes_[static_cast<std::size_t>(((s % slots) + slots) % slots)] = Bytes();
  }
  second_ = std::max(second_, second);
  bytes_[static_cast<std::size_t>(((second % slots) + slots) % slots)] += bytes;
}

Bytes RecentBytes::sum(TimePoint now) const {
  RecentBytes copy = *this;
  copy.add(now, Bytes());
  Bytes sum;
  for (Bytes b : copy.bytes_) sum += b;
  return sum;
}

}  // namespace tributary::core
