#include "engine/core/dht_limiter.h"

#include <algorithm>

#include "engine/base/check.h"
#include "engine/base/random.h"

namespace tributary::core::dht {
namespace {

bool has_token(TimePoint full, Duration interval, int burst, TimePoint now) {
  return std::max(full, now) - now <= interval * (burst - 1);
}

}  // namespace

AnswerLimiter::AnswerLimiter(const AnswerLimits& limits, std::uint64_t seed)
    : limits_(limits), seed_(seed) {
  TRIBUTARY_CHECK(limits.places > 0);
}

bool AnswerLimiter::take(const Endpoint& from, TimePoint now) {
  if (!has_token(total_full_, limits_.total, limits_.total_burst, now)) return false;
  if (!from.is_loopback()) {
    if (full_.empty()) full_.assign(limits_.places, TimePoint::min());
    TimePoint& full = full_[place_of(from)];
    if (!has_token(full, limits_.per_address, limits_.per_address_burst, now)) return false;
    full = std::max(full, now) + limits_.per_address;
  }
  total_full_ = std::max(total_full_, now) + limits_.total;
  return true;
}

std::size_t AnswerLimiter::place_of(const Endpoint& from) const {
  std::uint64_t hash = seed_;
  const std::size_t size = from.is_v4() ? 16 : 8;
  for (std::size_t i = 0; i < size; ++i) hash = Random::mix(hash * 257 + from.address[i] + 1);
  return hash % full_.size();
}

}  // namespace tributary::core::dht
