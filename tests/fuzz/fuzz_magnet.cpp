// Usage: fuzz_magnet -max_total_time=20 corpus/ tests/fuzz/corpus/magnet
#include <cstddef>
#include <cstdint>

#include "engine/base/check.h"
#include "engine/wire/magnet.h"
#include "engine/wire/metainfo.h"
#include "engine/wire/octets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary::wire;
  const auto magnet = parse_magnet(as_text({data, size}));
  if (!magnet) return 0;
  TRIBUTARY_CHECK(magnet->v1_hash || magnet->v2_hash);
  TRIBUTARY_CHECK(magnet->trackers.size() <= kMaxTrackers && magnet->edges.size() <= kMaxEdges);
  TRIBUTARY_CHECK(magnet->peers.size() <= kMaxMagnetPeers);
  TRIBUTARY_CHECK(magnet->selected.size() <= kMaxMagnetRanges);
  const std::string written = format_magnet(*magnet);
  if (written.size() > kMaxMagnetLength) return 0;
  const auto again = parse_magnet(written);
  TRIBUTARY_CHECK(again.ok() && *again == *magnet);
  return 0;
}
