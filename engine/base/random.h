// A seeded integer generator: the same numbers on every compiler and machine, unlike the
// distributions of the standard library.
#pragma once

#include <cstdint>

#include "engine/base/check.h"

namespace tributary {

// splitmix64: one 64-bit word of state, passes BigCrush (Steele, Lea, Flood: "Fast Splittable
// Pseudorandom Number Generators", OOPSLA 2014). Not for secrets.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }

  // Uniform in [0, n), by multiplication; the bias is below n / 2^64. REQUIRES: n > 0.
  std::uint64_t below(std::uint64_t n) {
    TRIBUTARY_CHECK(n > 0);
    __extension__ using Wide = unsigned __int128;  // NOLINT
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * n) >> 64);
  }

  // True with probability numerator / denominator. REQUIRES: denominator > 0.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
  }

  // An independent generator, so that one part's draws do not shift another's.
  Random split() { return Random(next()); }

  // The mixing step alone: a good hash of one word.
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace tributary
