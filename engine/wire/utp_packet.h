// uTP's packets (BEP 29): a header of 20 bytes, a chain of extensions, payload. Who sends what when
// is the matter of utp_connection.h.
#pragma once

#include <cstdint>

#include "engine/base/result.h"
#include "engine/base/strong.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

// Numbers packets in one direction; wraps around. Two numbers are compared by their distance, which
// means something while they are less than 32,768 apart.
class UtpSeq {
 public:
  constexpr UtpSeq() = default;
  constexpr explicit UtpSeq(std::uint16_t value) : value_(value) {}
  constexpr std::uint16_t value() const { return value_; }
  friend constexpr UtpSeq operator+(UtpSeq a, int n) {
    return UtpSeq(static_cast<std::uint16_t>(a.value_ + n));
  }
  // How many packets a is ahead of b: -32,768 to 32,767.
  friend constexpr int operator-(UtpSeq a, UtpSeq b) {
    return static_cast<std::int16_t>(static_cast<std::uint16_t>(a.value_ - b.value_));
  }
  friend constexpr bool operator==(UtpSeq, UtpSeq) = default;

 private:
  std::uint16_t value_ = 0;
};

// Names a connection between two addresses: each end is told packets of its own id.
using UtpConnectionId = Id<struct UtpConnectionIdTag, std::uint16_t>;

enum class UtpType : std::uint8_t { kData = 0, kFin = 1, kState = 2, kReset = 3, kSyn = 4 };

struct UtpHeader {
  UtpType type = UtpType::kState;
  UtpConnectionId connection;
  std::uint32_t timestamp = 0;   // the sender's clock, microseconds
  std::uint32_t difference = 0;  // of the last packet that the sender got, by its clock; 0: unknown
  std::uint32_t window = 0;      // bytes that the sender has room for
  UtpSeq seq;                    // of this packet; of kState the next one's, which it does not take
  UtpSeq ack;                    // the last one before the first that the sender misses
  friend bool operator==(const UtpHeader&, const UtpHeader&) = default;
};

inline constexpr std::size_t kUtpHeaderSize = 20;
// Bytes of a selective acknowledgement that are read and written: 1,024 packets, as many as may be
// under way in the clients that exist.
inline constexpr std::size_t kMaxSelectiveAck = 128;
// Extensions of one packet; there are three kinds in use.
inline constexpr int kMaxUtpExtensions = 8;

struct UtpPacket {
  UtpHeader header;
  // Bit i (of byte i / 8, the lowest first) says that packet header.ack + 2 + i has come.
  Octets selective_ack;  // empty: none
  Octets payload;
};

// Whether it may be a uTP packet; what begins otherwise is another protocol at the same port (the
// DHT's datagrams begin with 'd').
bool looks_like_utp(Octets datagram);

// The packet's parts point into the datagram. Unknown extensions are skipped; of several selective
// acknowledgements the first counts, cut to kMaxSelectiveAck.
Result<UtpPacket> decode_utp(Octets datagram);

// Writes the header without extensions. REQUIRES: out.size() >= kUtpHeaderSize.
void write_utp_header(const UtpHeader& header, std::span<std::uint8_t> out);
// A packet without payload. REQUIRES: the selective acknowledgement is empty or a multiple of 4
// bytes, at most kMaxSelectiveAck.
OctetBuffer encode_utp(const UtpHeader& header, Octets selective_ack = {});

}  // namespace tributary::wire
