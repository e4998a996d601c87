#include "engine/core/dht_limiter.h"

#include "engine/base/check.h"
#include "engine/base/random.h"

namespace tributary::core::dht {

AnswerLimiter::AnswerLimiter(const AnswerLimits& limits, std::uint64_t seed)
    : limits_(limits), seed_(seed) {
  TRIBUTARY_CHECK(limits.places > 0);
}

bool AnswerLimiter::take(const Endpoint& from, TimePoint now) {
  const Pace total{limits_.total, limits_.total_burst};
  if (!total_.may_happen(total, now)) return false;
  if (!from.is_loopback()) {
    if (places_.empty()) places_.resize(limits_.places);
    const Pace each{limits_.per_address, limits_.per_address_burst};
    if (!places_[place_of(from)].allow(each, now)) return false;
  }
  total_.count(total, now);
  return true;
}

std::size_t AnswerLimiter::place_of(const Endpoint& from) const {
  std::uint64_t hash = seed_;
  const std::size_t size = from.is_v4() ? 16 : 8;
  for (std::size_t i = 0; i < size; ++i) hash = Random::mix(hash * 257 + from.address[i] + 1);
  return hash % places_.size();
}

}  // namespace tributary::core::dht
