// Usage: fuzz_dht_state -max_total_time=20 corpus/ tests/fuzz/corpus/dht_state
//
// What was read must keep the limits, and come back the same when it is written and read again.
#include <cstddef>
#include <cstdint>

#include "engine/base/check.h"
#include "engine/wire/dht_state.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary;  // NOLINT(google-build-using-namespace)
  const auto state = wire::decode_dht_state(wire::Octets(data, size));
  if (!state) return 0;
  TRIBUTARY_CHECK(state->nodes.size() <= wire::kMaxDhtStateNodes);
  const auto again = wire::decode_dht_state(wire::encode_dht_state(*state));
  TRIBUTARY_CHECK(again.ok());
  TRIBUTARY_CHECK(*again == *state);
  return 0;
}
