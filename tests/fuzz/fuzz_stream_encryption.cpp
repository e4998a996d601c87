// Usage: fuzz_stream_encryption -max_total_time=20 corpus/ tests/fuzz/corpus/stream_encryption
//
// The first octet says who the input speaks to (bit 0: the side that dialled) and which methods are
// allowed (bits 1, 2); the second is the size of the portions in which the rest arrives. What would
// have to be encrypted is in the clear, for a fuzzer cannot guess a key stream.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/base/check.h"
#include "engine/wire/stream_encryption.h"
#include "tests/engine/wire/toy_crypto.h"

namespace {

using namespace tributary;  // NOLINT(google-build-using-namespace)

class NoCipher final : public wire::StreamCipher {
 public:
  void apply(wire::Octets in, std::span<std::uint8_t> out) override {
    std::copy(in.begin(), in.end(), out.begin());
  }
};

std::unique_ptr<wire::StreamCipher> no_cipher(const Sha1&) { return std::make_unique<NoCipher>(); }

// The same for all that is hashed, so that the input can name a torrent.
Sha1 constant_digest(wire::Octets) { return {}; }

constexpr wire::MseCrypto kOpen{&constant_digest, &wire::toy_public_key, &wire::toy_secret,
                                &no_cipher};

struct Outcome {
  bool ok = true;
  bool done = false;
  wire::OctetBuffer sent;
  wire::OctetBuffer received;
};

std::unique_ptr<wire::MseHandshake> handshake(std::uint8_t kind) {
  wire::MseMethods methods{.plain = (kind & 2) != 0, .rc4 = (kind & 4) != 0};
  if (!methods.plain && !methods.rc4) methods.rc4 = true;
  if ((kind & 1) == 0) {
    return std::make_unique<wire::MseResponder>(kOpen, wire::toy_secrets(5, 3, 3), methods,
                                                std::vector<InfoHash>(1));
  }
  return std::make_unique<wire::MseInitiator>(kOpen, wire::toy_secrets(5, 3, 3), methods,
                                              InfoHash{}, wire::as_octets("initial"));
}

Outcome speak(std::uint8_t kind, wire::Octets input, std::size_t portion) {
  const auto side = handshake(kind);
  Outcome out;
  while (!input.empty() && out.ok && !side->done()) {
    const auto part = input.first(std::min(portion, input.size()));
    input = input.subspan(part.size());
    out.ok = side->feed(part, out.sent).ok();
  }
  out.done = side->done();
  if (out.done) out.received = side->take().received;
  wire::append(out.received, input);
  // Two keys, three pads and two headers at most, whatever came.
  TRIBUTARY_CHECK(out.sent.size() < 2 * (96 + 3 * wire::kMaxMsePad));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const wire::Octets input(data + 2, size - 2);
  const Outcome whole = speak(data[0], input, std::max<std::size_t>(input.size(), 1));
  const Outcome portions = speak(data[0], input, data[1] + std::size_t{1});
  TRIBUTARY_CHECK(whole.ok == portions.ok && whole.done == portions.done);
  TRIBUTARY_CHECK(whole.sent == portions.sent);
  if (whole.done) TRIBUTARY_CHECK(whole.received == portions.received);
  return 0;
}
