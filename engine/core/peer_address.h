// Which addresses we dial, and who may name them to us.
#pragma once

#include <cstdint>

#include "engine/base/endpoint.h"

namespace tributary::core {

// True when a peer can be at this address at all: not port 0, and not unspecified, "this network",
// multicast, broadcast or reserved, link-local (its scope is unknown), or IPv4-compatible IPv6.
// Loopback is allowed.
bool is_dialable(const Endpoint& endpoint);
// Whether who sits at `peer` may speak of `address` to us, and we to him: of the world's addresses
// freely, of those on this machine or in a private network only where he is there as well. So no
// stranger makes us dial into our own house, or hears of it.
bool may_share(const Endpoint& peer, const Endpoint& address);

// The port at which who sits at `peer` can dial us, who listen at `port`, or on loopback alone; 0:
// none.
constexpr std::uint16_t port_told(const Endpoint& peer, std::uint16_t port, bool loopback_only) {
  return loopback_only && !peer.is_loopback() ? std::uint16_t{0} : port;
}

}  // namespace tributary::core
