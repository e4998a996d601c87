#include "engine/core/peer_address.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tributary::core {
namespace {

bool v4_dialable(std::uint8_t a, std::uint8_t b) {
  return a != 0 && a < 224 && !(a == 169 && b == 254);  // RFC 1122, 5771, 1112, 3927
}

bool v6_dialable(const std::array<std::uint8_t, 16>& ip) {
  if (ip[0] == 0xff) return false;                            // multicast, RFC 4291
  if (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) return false;  // link-local
  const bool zeros = std::all_of(ip.begin(), ip.begin() + 12, [](auto b) { return b == 0; });
  if (!zeros) return true;
  const bool loopback = ip[12] == 0 && ip[13] == 0 && ip[14] == 0 && ip[15] == 1;
  return loopback;  // else unspecified or IPv4-compatible, which is no longer in use
}

}  // namespace

bool is_dialable(const Endpoint& e) {
  if (e.port == 0) return false;
  return e.is_v4() ? v4_dialable(e.address[12], e.address[13]) : v6_dialable(e.address);
}

bool may_share(const Endpoint& peer, const Endpoint& address) {
  if (address.is_loopback()) return peer.is_loopback();
  return !address.is_local() || peer.is_local();
}

}  // namespace tributary::core
