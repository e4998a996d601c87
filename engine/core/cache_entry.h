// What an eviction policy sees of a cache: shared by the store, which applies one, and prefetch/,
// which has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/base/units.h"

namespace tributary::core {

// One content of a cache.
struct CacheEntry {
  std::uint64_t last_use = 0;  // a counter, not a time: greater is later
  Bytes size;                  // on disk
  bool in_use = false;         // an open torrent needs it
};

// Returns which entries to remove, by position, so that the sizes of the rest are at most `limit`
// in sum, or as near as the entries in use allow. A pure function.
using EvictionPolicy =
    std::function<std::vector<std::size_t>(std::span<const CacheEntry> entries, Bytes limit)>;

}  // namespace tributary::core
