// Distances between node ids, and ids bound to addresses (BEP 5, BEP 42).
#pragma once

#include "engine/base/random.h"
#include "engine/core/dht_types.h"

namespace tributary::core::dht {

// Bits of an id.
inline constexpr int kIdBits = 160;

// a XOR b, comparable as a number.
NodeId distance(const NodeId& a, const NodeId& b);
// Leading bits that both share, 0 … 160.
int shared_bits(const NodeId& a, const NodeId& b);
NodeId random_id(Random& random);
// An id for a node that the world sees at `external` (BEP 42).
NodeId secure_id(const Endpoint& external, Random& random);
// Whether the id fits the address. True for local addresses, which BEP 42 exempts.
bool is_secure(const NodeId& id, const Endpoint& endpoint);
// Of one IPv4 /24 or IPv6 /64: what one owner easily has all of.
bool same_subnet(const Endpoint& a, const Endpoint& b);

}  // namespace tributary::core::dht
