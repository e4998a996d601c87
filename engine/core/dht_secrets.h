// What nobody may guess in the DHT: transaction ids, and the tokens that prove an address (BEP 5).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "engine/base/digest.h"
#include "engine/base/units.h"
#include "engine/core/dht_types.h"

namespace tributary::core::dht {

// The host's SHA-1: this room computes none. A pure function.
using Sha1Function = Sha1 (*)(std::span<const std::uint8_t>);
// Random bytes of the host's, never told to anybody.
using SecretKey = std::array<std::uint8_t, 32>;

// Numbers and tokens that follow from the key, as its digest with a counter or an address. SHA-1
// is enough: the key is hashed first, what goes out is cut short, and nothing lives for long.
class Secrets {
 public:
  // How long a secret serves before the next takes over; the one before stays good, so that a
  // token lives for 5 to 10 minutes (BEP 5).
  static constexpr Duration kTokenPeriod = std::chrono::minutes(5);
  // Bytes of a token: 2^-64 per guess.
  static constexpr std::size_t kTokenSize = 8;

  // REQUIRES: digest != nullptr.
  Secrets(const SecretKey& key, Sha1Function digest);

  // Another number each time.
  std::uint64_t next();
  // What the asker at this address has to show when it announces itself for the hash.
  std::string token(const Endpoint& asker, const NodeId& info_hash, TimePoint now) const;
  bool accepts(std::string_view token, const Endpoint& asker, const NodeId& info_hash,
               TimePoint now) const;

 private:
  std::string token_of(std::int64_t period, const Endpoint& asker, const NodeId& info_hash) const;

  SecretKey key_;
  Sha1Function digest_;
  std::uint64_t count_ = 0;
};

}  // namespace tributary::core::dht
