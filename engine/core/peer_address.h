// Which addresses we dial, and who may name them to us.
#pragma once

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

}  // namespace tributary::core
