// Which cached contents to remove when the cache is over its size limit.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/base/units.h"
#include "engine/core/cache_entry.h"

namespace tributary::prefetch {

// Bounds of a cache's size when the user names none: a tenth of the free disk, within these (Kreitz
// & Niemelä 2010; the lower bound is widely told).
inline constexpr Bytes kMinCacheSize = Bytes(50'000'000);
inline constexpr Bytes kMaxCacheSize = Bytes(10'000'000'000);

// `free` is the free disk with what the cache already holds counted as free.
Bytes default_cache_limit(Bytes free);

// A core::EvictionPolicy: least recently used first, equals by position; never what is in use, even
// when the limit cannot be met without it. The result is in order of removal.
std::vector<std::size_t> least_recently_used(std::span<const core::CacheEntry> entries,
                                             Bytes limit);

}  // namespace tributary::prefetch
