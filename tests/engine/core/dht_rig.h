// What the tests of the DHT share: a digest for rooms that have none, ids and addresses.
#pragma once

#include <algorithm>

#include "engine/base/random.h"
#include "engine/core/dht_secrets.h"

namespace tributary::core::dht {

// Mixes all bytes; no cryptography.
inline Sha1 toy_digest(std::span<const std::uint8_t> bytes) {
  std::uint64_t state = 1;
  for (const std::uint8_t b : bytes) state = Random::mix(state * 257 + b + 1);
  Random random(state);
  Sha1 out;
  for (std::uint8_t& b : out.bytes) b = static_cast<std::uint8_t>(random.below(256));
  return out;
}

inline NodeId id_of(std::uint8_t first, std::uint8_t last = 0) {
  NodeId id;
  id.bytes[0] = first;
  id.bytes[19] = last;
  return id;
}

}  // namespace tributary::core::dht
