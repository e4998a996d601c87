// Usage: fuzz_bencode -max_total_time=20 corpus/ tests/fuzz/corpus/bencode
#include <cstddef>
#include <cstdint>

#include "engine/base/check.h"
#include "engine/wire/bencode.h"
#include "engine/wire/bencode_encoder.h"

namespace {

bool all_sorted(tributary::wire::BencodeView value) {
  if (!value.sorted()) return false;
  for (auto child : value.children()) {
    if (!all_sorted(child)) return false;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tributary::wire;
  const Octets input(data, size);
  const auto document = decode_bencode(input);
  if (!document) return 0;
  const OctetBuffer canonical = encode_bencode(document->root());
  if (all_sorted(document->root())) {
    TRIBUTARY_CHECK(canonical == OctetBuffer(input.begin(), input.end()));
  }
  const auto again = decode_bencode(canonical);
  TRIBUTARY_CHECK(again.ok() && encode_bencode(again->root()) == canonical);
  return 0;
}
