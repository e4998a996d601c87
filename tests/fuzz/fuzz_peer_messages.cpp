// Usage: fuzz_peer_messages -max_total_time=20 corpus/ tests/fuzz/corpus/peer_messages
//
// The first byte is the size of the portions in which the rest arrives.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "engine/base/check.h"
#include "engine/wire/peer_codec.h"

namespace {

using namespace tributary;  // NOLINT(google-build-using-namespace)

class Buffers : public wire::PayloadBuffers {
 public:
  Buffer allocate(Bytes length) override {
    TRIBUTARY_CHECK(length > 0_B && length <= wire::kMaxPiecePayload);
    const core::BufferId id(++last_);
    live_[id].resize(static_cast<std::size_t>(length.count()));
    return {id, live_[id]};
  }
  void free(core::BufferId id) override { TRIBUTARY_CHECK(live_.erase(id) == 1); }
  const wire::OctetBuffer& at(core::BufferId id) const { return live_.at(id); }
  std::size_t size() const { return live_.size(); }

 private:
  std::map<core::BufferId, wire::OctetBuffer> live_;
  std::uint64_t last_ = 0;
};

// The messages as a stream again, payloads included.
wire::OctetBuffer encode(const std::vector<core::Message>& messages, const Buffers& buffers) {
  wire::OctetBuffer out;
  for (const core::Message& message : messages) {
    TRIBUTARY_CHECK(wire::encode_message(message, wire::kOurExtensionIds, out));
    const auto* piece = std::get_if<core::Piece>(&message);
    if (piece != nullptr && piece->buffer != core::kNoBuffer) {
      wire::append(out, buffers.at(piece->buffer));
    }
  }
  return out;
}

struct Decoded {
  bool ok = true;
  std::vector<core::Message> messages;
  wire::OctetBuffer stream;
};

Decoded decode(wire::Octets input, std::size_t portion) {
  Buffers buffers;
  Decoded out;
  {
    wire::PeerDecoder decoder(buffers);
    while (!input.empty() && out.ok) {
      const auto part = input.first(std::min(portion, input.size()));
      out.ok = decoder.feed(part, out.messages).ok();
      input = input.subspan(part.size());
    }
  }
  out.stream = encode(out.messages, buffers);
  std::size_t owned = 0;
  for (const core::Message& message : out.messages) {
    const auto* piece = std::get_if<core::Piece>(&message);
    owned += piece != nullptr && piece->buffer != core::kNoBuffer ? 1 : 0;
  }
  TRIBUTARY_CHECK(owned == buffers.size());
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const wire::Octets input(data + 1, size - 1);
  const Decoded whole = decode(input, std::max<std::size_t>(input.size(), 1));
  const Decoded portions = decode(input, data[0] + std::size_t{1});
  TRIBUTARY_CHECK(whole.ok == portions.ok && whole.stream == portions.stream);
  const Decoded again = decode(whole.stream, std::max<std::size_t>(whole.stream.size(), 1));
  TRIBUTARY_CHECK(again.ok && again.stream == whole.stream);
  if (size >= wire::kHandshakeSize) {
    const std::span<const std::uint8_t, wire::kHandshakeSize> bytes(data, wire::kHandshakeSize);
    const auto handshake = wire::decode_handshake(bytes);
    if (handshake) {
      TRIBUTARY_CHECK(*wire::decode_handshake(wire::encode_handshake(*handshake)) == *handshake);
    }
  }
  return 0;
}
