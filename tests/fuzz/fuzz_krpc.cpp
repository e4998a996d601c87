// Usage: fuzz_krpc -max_total_time=20 corpus/ tests/fuzz/corpus/krpc
//
// What was read must keep the limits, and come back the same when it is written and read again.
#include <cstddef>
#include <cstdint>

#include "engine/base/check.h"
#include "engine/wire/krpc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary;  // NOLINT(google-build-using-namespace)
  const auto message = wire::decode_krpc(wire::Octets(data, size));
  if (!message) return 0;
  if (const auto* reply = std::get_if<core::dht::Reply>(&message->body)) {
    TRIBUTARY_CHECK(reply->nodes.size() <= 2 * core::dht::kBucketSize);
    TRIBUTARY_CHECK(reply->peers.size() <= core::dht::kMaxPeersInReply);
    TRIBUTARY_CHECK(reply->token.size() <= core::dht::kMaxTokenSize);
  }
  const auto again = wire::decode_krpc(wire::encode_krpc(*message));
  TRIBUTARY_CHECK(again.ok());
  TRIBUTARY_CHECK(*again == *message);
  return 0;
}
