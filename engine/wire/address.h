// IP addresses as text and in the compact form of trackers (BEP 23, BEP 7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

// A numeric IPv4 or IPv6 address, without brackets, zone or port. Nothing when it is none; a
// v4-mapped one comes out as the IPv4 address.
std::optional<Endpoint> parse_address(std::string_view text, std::uint16_t port);
// "10.0.0.1" or "2001:db8:0:0:0:0:0:1": without brackets and port.
std::string format_address(const Endpoint& endpoint);

inline constexpr std::size_t kCompactV4Size = 6;
inline constexpr std::size_t kCompactV6Size = 18;

// v4-mapped addresses are of IPv4.
enum class AddressFamily : std::uint8_t { kV4, kV6 };
constexpr AddressFamily family_of(const Endpoint& endpoint) {
  return endpoint.is_v4() ? AddressFamily::kV4 : AddressFamily::kV6;
}
constexpr std::size_t compact_size(AddressFamily family) {
  return family == AddressFamily::kV4 ? kCompactV4Size : kCompactV6Size;
}

// 4 or 16 bytes by the address's family.
Octets address_octets(const Endpoint& endpoint);
// The same back, with port 0. Nothing for any other number of bytes.
std::optional<Endpoint> read_address(Octets octets);

// Address and port, 6 or 18 bytes by the endpoint's family.
void append_compact(OctetBuffer& out, const Endpoint& endpoint);
// REQUIRES: octets.size() is kCompactV4Size or kCompactV6Size.
Endpoint read_compact(Octets octets);

}  // namespace tributary::wire
