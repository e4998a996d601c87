// Where an address of a peer came from.
#pragma once

#include <cstdint>

namespace tributary::core {

// How a peer's address became known, the most trusted first. kLocal: by its own word on the local
// network (BEP 14).
enum class PeerSource : std::uint8_t { kUser, kTracker, kIncoming, kLocal, kDht, kExchange };

// Anybody may name any address there.
constexpr bool may_lie(PeerSource source) { return source >= PeerSource::kDht; }

}  // namespace tributary::core
