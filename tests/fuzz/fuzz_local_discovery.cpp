// Usage: fuzz_local_discovery -max_total_time=20 corpus/ tests/fuzz/corpus/local_discovery
#include <cstddef>
#include <cstdint>
#include <string>

#include "engine/base/check.h"
#include "engine/wire/local_discovery.h"

using namespace tributary;  // NOLINT(google-build-using-namespace)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const wire::Octets input(data, size);
  auto decoded = wire::decode_local_announcement(input);
  const Endpoint sender = Endpoint::v4(10, 0, 0, 1, 9);
  wire::LocalDiscovery discovery(1, "cookie");
  const auto heard = discovery.hear(input, sender, {});
  TRIBUTARY_CHECK(std::ssize(heard) <= wire::LocalDiscovery::kHeardPerSecond);
  if (!decoded) {
    TRIBUTARY_CHECK(heard.empty());
    return 0;
  }
  TRIBUTARY_CHECK(decoded->torrents.size() <= wire::kMaxLocalHashes);
  decoded->cookie.clear();  // it may hold what would not be one header line again
  for (const auto family : {wire::AddressFamily::kV4, wire::AddressFamily::kV6}) {
    const std::string text =
        wire::encode_local_announcement(*decoded, wire::local_discovery_group(family));
    const auto again = wire::decode_local_announcement(wire::as_octets(text));
    TRIBUTARY_CHECK(again.ok() && *again == *decoded);
  }
  return 0;
}
