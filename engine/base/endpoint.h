// Addresses as values, without sockets.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

namespace tributary {

// An IP address and port. IPv4 addresses are held v4-mapped (::ffff:a.b.c.d), so that one address
// has one form.
struct Endpoint {
  std::array<std::uint8_t, 16> address{};
  std::uint16_t port = 0;

  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;

  static constexpr Endpoint v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d,
                               std::uint16_t port) {
    Endpoint e;
    e.address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d};
    e.port = port;
    return e;
  }
  constexpr bool is_v4() const {
    for (int i = 0; i < 10; ++i) {
      if (address[static_cast<std::size_t>(i)] != 0) return false;
    }
    return address[10] == 0xff && address[11] == 0xff;
  }
  // 127.0.0.0/8 or ::1.
  constexpr bool is_loopback() const {
    if (is_v4()) return address[12] == 127;
    for (std::size_t i = 0; i < 15; ++i) {
      if (address[i] != 0) return false;
    }
    return address[15] == 1;
  }
  // Of this machine, link or house: loopback, link-local and private addresses.
  constexpr bool is_local() const {
    if (is_loopback()) return true;
    const auto& a = address;
    if (!is_v4()) return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80);
    return a[12] == 10 || (a[12] == 172 && (a[13] & 0xf0) == 16) ||
           (a[12] == 192 && a[13] == 168) || (a[12] == 169 && a[13] == 254);
  }
};

// A host by name or address, not yet looked up.
struct HostPort {
  std::string host;  // IPv6 without brackets
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

}  // namespace tributary
