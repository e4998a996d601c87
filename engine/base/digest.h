// Digests as values. Computing them is the shell's work (engine/net/hasher.h).
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>

#include "engine/base/check.h"

namespace tributary {

// Tag keeps digests of different algorithms and meanings apart.
template <class Tag, std::size_t N>
struct Digest {
  static constexpr std::size_t kSize = N;
  std::array<std::uint8_t, N> bytes{};

  friend constexpr auto operator<=>(const Digest&, const Digest&) = default;

  // REQUIRES: data.size() == N.
  static Digest from(std::span<const std::uint8_t> data) {
    TRIBUTARY_CHECK(data.size() == N);
    Digest d;
    std::copy(data.begin(), data.end(), d.bytes.begin());
    return d;
  }
  std::string hex() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string out;
    for (std::uint8_t b : bytes) {
      out += kDigits[b >> 4];
      out += kDigits[b & 15];
    }
    return out;
  }
  bool is_zero() const {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
  }
};

using Sha1 = Digest<struct Sha1Tag, 20>;
using Sha256 = Digest<struct Sha256Tag, 32>;

// What a handshake and an announce carry: a v1 info-hash, or a v2 one cut to 20 bytes (BEP 52).
using InfoHash = Digest<struct InfoHashTag, 20>;
// The 20 bytes by which a client names itself in a swarm (BEP 3).
using PeerId = Digest<struct PeerIdTag, 20>;

}  // namespace tributary
