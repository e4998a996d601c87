#include "prefetch/eviction.h"

#include <algorithm>

namespace tributary::prefetch {

Bytes default_cache_limit(Bytes free) {
  return std::clamp(free / 10, kMinCacheSize, kMaxCacheSize);
}

std::vector<std::size_t> least_recently_used(std::span<const core::CacheEntry> entries,
                                             Bytes limit) {
  Bytes total;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    total += entries[i].size;
    if (!entries[i].in_use) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return entries[a].last_use < entries[b].last_use;
  });
  std::size_t removed = 0;
  while (removed < order.size() && total > limit) total -= entries[order[removed++]].size;
  order.resize(removed);
  return order;
}

}  // namespace tributary::prefetch
