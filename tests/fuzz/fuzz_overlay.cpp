// Usage: fuzz_overlay -max_total_time=20 corpus/ tests/fuzz/corpus/overlay
//
// The dictionary of a tributary_query message. What is understood keeps to its limits, and means
// the same when it is written anew.
#include <cstddef>
#include <cstdint>

#include "engine/base/check.h"
#include "engine/wire/peer_codec.h"

namespace {

using namespace tributary;  // NOLINT(google-build-using-namespace)

wire::OctetBuffer encode(const core::Message& message) {
  if (const auto* query = std::get_if<core::OverlayQuery>(&message)) {
    TRIBUTARY_CHECK(query->hops >= 1 && query->hops <= core::kOverlayHops);
    return wire::encode_overlay(*query);
  }
  const auto& answer = std::get<core::OverlayAnswer>(message);
  TRIBUTARY_CHECK(answer.peers.size() <= core::kMaxOverlayPeers);
  for (const Endpoint& peer : answer.peers) TRIBUTARY_CHECK(peer.port != 0);
  return wire::encode_overlay(answer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto decoded = wire::decode_overlay({data, size});
  if (!decoded.ok() || !decoded->has_value()) return 0;
  TRIBUTARY_CHECK(size <= wire::kMaxOverlayMessage);
  const wire::OctetBuffer text = encode(**decoded);
  TRIBUTARY_CHECK(text.size() <= wire::kMaxOverlayMessage);
  const auto again = wire::decode_overlay(text);
  TRIBUTARY_CHECK(again.ok() && again->has_value());
  TRIBUTARY_CHECK(encode(**again) == text);
  return 0;
}
