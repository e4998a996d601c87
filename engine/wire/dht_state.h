// What a DHT node keeps across restarts, as the text of a file.
#pragma once

#include <vector>

#include "engine/base/result.h"
#include "engine/core/dht_routing_table.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

// Bytes of a file that is looked at, and nodes taken from it: a full table has some 200.
inline constexpr std::size_t kMaxDhtStateSize = 128 * 1024;
inline constexpr std::size_t kMaxDhtStateNodes = 1500;

struct DhtState {
  core::dht::NodeId id;
  Duration saved_at{};  // calendar time, since 1970 UTC; whole seconds are kept
  std::vector<core::dht::SavedContact> nodes;
  friend bool operator==(const DhtState&, const DhtState&) = default;
};

// A bencoded dictionary: "id", "nodes" (a list of strings: id, compact address, seconds of silence
// as 32 bits), "saved" (seconds), "version" (1). Nodes above the limit are left out.
OctetBuffer encode_dht_state(const DhtState& state);

// Errors: kLimit, kInvalid, and kUnsupported for another version. Nodes of a wrong size or without
// a port are left out.
Result<DhtState> decode_dht_state(Octets text);

}  // namespace tributary::wire
