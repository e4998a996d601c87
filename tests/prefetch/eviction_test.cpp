#include "prefetch/eviction.h"

#include <doctest/doctest.h>

using namespace tributary;
using namespace tributary::prefetch;
using core::CacheEntry;

using Removed = std::vector<std::size_t>;

TEST_CASE("nothing is removed while the cache is within its limit") {
  const CacheEntry entries[] = {{1, 40_B, false}, {2, 60_B, false}};
  CHECK(least_recently_used(entries, 100_B).empty());
  CHECK(least_recently_used({}, 0_B).empty());
}

TEST_CASE("the least recently used go first, and no more than needed") {
  const CacheEntry entries[] = {{5, 30_B, false}, {1, 30_B, false}, {3, 30_B, false}};
  CHECK(least_recently_used(entries, 89_B) == Removed{1});
  CHECK(least_recently_used(entries, 60_B) == Removed{1});
  CHECK(least_recently_used(entries, 59_B) == Removed{1, 2});
  CHECK(least_recently_used(entries, 0_B) == Removed{1, 2, 0});
}

TEST_CASE("what is in use stays, even when the limit cannot be met") {
  const CacheEntry entries[] = {{1, 30_B, true}, {2, 30_B, false}, {3, 30_B, true}};
  CHECK(least_recently_used(entries, 10_B) == Removed{1});
}

TEST_CASE("equally old contents go in the order given") {
  const CacheEntry entries[] = {{7, 30_B, false}, {7, 30_B, false}, {7, 30_B, false}};
  CHECK(least_recently_used(entries, 30_B) == Removed{0, 1});
}

TEST_CASE("the default limit is a tenth of the free disk within 50 MB and 10 GB") {
  CHECK(default_cache_limit(1'000'000'000_B) == 100'000'000_B);
  CHECK(default_cache_limit(0_B) == kMinCacheSize);
  CHECK(default_cache_limit(Bytes(INT64_MAX)) == kMaxCacheSize);
}
