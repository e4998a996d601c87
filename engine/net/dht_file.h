// The file that keeps a DHT node's table across restarts.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/wire/dht_state.h"

namespace tributary::net {

// Both may block on the disk: the thread pool, or a program's beginning and end.

// Errors: kNotFound where there is none yet; kInvalid and kUnsupported for what is no saved state,
// which the next save replaces; kIo.
Result<wire::DhtState> load_dht_state(const std::string& path);
// Replaces the file at once: who reads meanwhile, or after a crash, sees the old or the new one.
Result<void> save_dht_state(const std::string& path, const wire::DhtState& state);

}  // namespace tributary::net
