#include "engine/wire/address.h"
#include "engine/wire/peer_codec.h"

namespace tributary::wire {
namespace {

// The kind, the kind of address.
constexpr std::size_t kHeadSize = 2;
constexpr std::size_t kReasonSize = 4;
constexpr std::uint8_t kV4 = 0;
constexpr std::uint8_t kV6 = 1;

}  // namespace

OctetBuffer encode_hole_punch(const core::HolePunch& message) {
  OctetBuffer out;
  out.push_back(static_cast<std::uint8_t>(message.kind));
  out.push_back(message.peer.is_v4() ? kV4 : kV6);
  append_compact(out, message.peer);
  append_u32(out, static_cast<std::uint32_t>(message.reason));
  return out;
}

Result<std::optional<core::Message>> decode_hole_punch(Octets message) {
  if (message.size() < kHeadSize) return invalid("ut_holepunch without its kind");
  const std::uint8_t kind = message[0];
  const std::uint8_t family = message[1];
  if (kind > static_cast<std::uint8_t>(core::HolePunch::Kind::kError) || family > kV6) {
    return std::optional<core::Message>();
  }
  const std::size_t size = family == kV4 ? kCompactV4Size : kCompactV6Size;
  const Octets rest = message.subspan(kHeadSize);
  if (rest.size() != size && rest.size() != size + kReasonSize) {
    return invalid("ut_holepunch of " + std::to_string(message.size()) + " bytes");
  }
  core::HolePunch out;
  out.kind = static_cast<core::HolePunch::Kind>(kind);
  out.peer = read_compact(rest.first(size));
  if (rest.size() > size) out.reason = core::HolePunch::Reason(read_u32(rest, size));
  return std::optional<core::Message>(out);
}

}  // namespace tributary::wire
