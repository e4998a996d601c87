// The digest of simulated DHT nodes, in place of SHA-1: mixes all bytes. Nobody attacks the
// simulated secrets.
#pragma once

#include <cstdint>
#include <span>

#include "engine/base/digest.h"
#include "engine/base/random.h"

namespace tributary::sim {

inline Sha1 mix_digest(std::span<const std::uint8_t> bytes) {
  std::uint64_t state = 1;
  for (const std::uint8_t b : bytes) state = Random::mix(state * 257 + b + 1);
  Sha1 out;
  for (std::size_t i = 0; i < out.bytes.size(); ++i) {
    if (i % 8 == 0) state = Random::mix(state + 1);
    out.bytes[i] = static_cast<std::uint8_t>(state >> i % 8 * 8);
  }
  return out;
}

}  // namespace tributary::sim
