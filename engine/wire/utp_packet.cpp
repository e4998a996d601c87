#include "engine/wire/utp_packet.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::wire {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kNoExtension = 0;
constexpr std::uint8_t kSelectiveAckExtension = 1;

void write_u16(std::span<std::uint8_t> out, std::size_t at, std::uint16_t n) {
  out[at] = static_cast<std::uint8_t>(n >> 8);
  out[at + 1] = static_cast<std::uint8_t>(n);
}

void write_u32(std::span<std::uint8_t> out, std::size_t at, std::uint32_t n) {
  write_u16(out, at, static_cast<std::uint16_t>(n >> 16));
  write_u16(out, at + 2, static_cast<std::uint16_t>(n));
}

// Reads the chain that begins with this kind; what is left of `rest` is the payload.
Result<Octets> read_extensions(std::uint8_t kind, Octets& rest) {
  Octets selective_ack;
  for (int i = 0; kind != kNoExtension; ++i) {
    if (i == kMaxUtpExtensions) return invalid("uTP packet: too many extensions");
    if (rest.size() < 2) return invalid("uTP packet: an extension is cut off");
    const std::uint8_t next = rest[0];
    const std::size_t length = rest[1];
    rest = rest.subspan(2);
    if (rest.size() < length) return invalid("uTP packet: an extension is cut off");
    if (kind == kSelectiveAckExtension && selective_ack.empty()) {
      selective_ack = rest.first(std::min(length, kMaxSelectiveAck));
    }
    rest = rest.subspan(length);
    kind = next;
  }
  return selective_ack;
}

}  // namespace

bool looks_like_utp(Octets datagram) {
  return datagram.size() >= kUtpHeaderSize && (datagram[0] & 0x0f) == kVersion &&
         datagram[0] >> 4 <= static_cast<int>(UtpType::kSyn);
}

Result<UtpPacket> decode_utp(Octets datagram) {
  if (!looks_like_utp(datagram)) return invalid("uTP packet: no header of version 1");
  UtpPacket packet;
  UtpHeader& header = packet.header;
  header.type = static_cast<UtpType>(datagram[0] >> 4);
  header.connection = UtpConnectionId(read_u16(datagram, 2));
  header.timestamp = read_u32(datagram, 4);
  header.difference = read_u32(datagram, 8);
  header.window = read_u32(datagram, 12);
  header.seq = UtpSeq(read_u16(datagram, 16));
  header.ack = UtpSeq(read_u16(datagram, 18));
  packet.payload = datagram.subspan(kUtpHeaderSize);
  TRIBUTARY_TRY(selective_ack, read_extensions(datagram[1], packet.payload));
  packet.selective_ack = selective_ack;
  return packet;
}

void write_utp_header(const UtpHeader& header, std::span<std::uint8_t> out) {
  TRIBUTARY_CHECK(out.size() >= kUtpHeaderSize);
  out[0] = static_cast<std::uint8_t>(static_cast<int>(header.type) << 4 | kVersion);
  out[1] = kNoExtension;
  write_u16(out, 2, header.connection.value());
  write_u32(out, 4, header.timestamp);
  write_u32(out, 8, header.difference);
  write_u32(out, 12, header.window);
  write_u16(out, 16, header.seq.value());
  write_u16(out, 18, header.ack.value());
}

OctetBuffer encode_utp(const UtpHeader& header, Octets selective_ack) {
  TRIBUTARY_CHECK(selective_ack.size() % 4 == 0 && selective_ack.size() <= kMaxSelectiveAck);
  OctetBuffer out(kUtpHeaderSize);
  write_utp_header(header, out);
  if (selective_ack.empty()) return out;
  out[1] = kSelectiveAckExtension;
  out.push_back(kNoExtension);
  out.push_back(static_cast<std::uint8_t>(selective_ack.size()));
  append(out, selective_ack);
  return out;
}

}  // namespace tributary::wire
