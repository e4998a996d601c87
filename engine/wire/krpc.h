// The DHT's datagrams (KRPC): bytes ⇄ core::dht::Message (BEP 5, 32, 42, 43).
#pragma once

#include "engine/base/result.h"
#include "engine/core/dht_types.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

// Bytes of a datagram that is looked at; one with 100 IPv6 peers takes 2,300.
inline constexpr std::size_t kMaxKrpcSize = 4096;

// Canonical bencoding. REQUIRES: the message keeps the limits of dht_types.h.
OctetBuffer encode_krpc(const core::dht::Message& message);

// Errors: kLimit for too long a datagram or transaction id, kInvalid for what is no message of BEP
// 5, kUnsupported for an unknown method. Nodes and peers above the limits, with port 0 or of a
// wrong size are left out. Unknown keys are ignored.
Result<core::dht::Message> decode_krpc(Octets datagram);

}  // namespace tributary::wire
