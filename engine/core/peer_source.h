// Where an address of a peer came from.
#pragma once

#include <cstdint>

namespace tributary::core {

// How a peer's address became known, the most trusted first. kLocal: by its own word on the local
// network (BEP 14). kOverlay: in answer to a query among peers of other torrents (overlay.h).
enum class PeerSource : std::uint8_t {
  kUser,
  kTracker,
  kIncoming,
  kLocal,
  kDht,
  kExchange,
  kOverlay
};

// Anybody may name any address there.
constexpr bool may_lie(PeerSource source) { return source >= PeerSource::kDht; }
// Named by some peer.
constexpr bool is_hearsay(PeerSource source) { return source >= PeerSource::kExchange; }

}  // namespace tributary::core
