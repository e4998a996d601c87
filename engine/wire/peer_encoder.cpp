#include <algorithm>
#include <type_traits>

#include "engine/base/check.h"
#include "engine/wire/peer_codec.h"
#include "engine/wire/peer_message_ids.h"

namespace tributary::wire {
namespace {

constexpr std::string_view kProtocol =
    "\x13"
    "BitTorrent protocol";
constexpr std::size_t kReservedAt = 20;
constexpr std::size_t kHashAt = 28;
constexpr std::size_t kPeerIdAt = 48;
// Bits of the last reserved bytes.
constexpr std::uint8_t kExtendedBit = 0x10;  // byte 5 (BEP 10)
constexpr std::uint8_t kFastBit = 0x04;      // byte 7 (BEP 6)
constexpr std::uint8_t kV2Bit = 0x10;        // byte 7 (BEP 52)
constexpr std::uint8_t kDhtBit = 0x01;       // byte 7 (BEP 5)

std::uint32_t u32(Bytes n) { return static_cast<std::uint32_t>(n.count()); }
std::uint32_t u32(core::PieceIndex i) { return static_cast<std::uint32_t>(i.value()); }

// Writes one message per call: its length, its id, its fields.
class Writer {
 public:
  Writer(const ExtensionIds& peer_ids, OctetBuffer& out) : peer_ids_(peer_ids), out_(out) {}

  bool operator()(const core::KeepAlive&) { return append_u32(out_, 0), true; }
  bool operator()(const core::Choke&) { return head(MessageId::kChoke); }
  bool operator()(const core::Unchoke&) { return head(MessageId::kUnchoke); }
  bool operator()(const core::Interested&) { return head(MessageId::kInterested); }
  bool operator()(const core::NotInterested&) { return head(MessageId::kNotInterested); }
  bool operator()(const core::HaveAll&) { return head(MessageId::kHaveAll); }
  bool operator()(const core::HaveNone&) { return head(MessageId::kHaveNone); }
  bool operator()(const core::Have& m) { return indexed(MessageId::kHave, m.piece); }
  bool operator()(const core::SuggestPiece& m) {
    return indexed(MessageId::kSuggestPiece, m.piece);
  }
  bool operator()(const core::AllowedFast& m) { return indexed(MessageId::kAllowedFast, m.piece); }
  bool operator()(const core::Port& m) {
    head(MessageId::kPort, 2);
    return append_u16(out_, m.port), true;
  }
  bool operator()(const core::Request& m) { return spanned(MessageId::kRequest, m.span); }
  bool operator()(const core::Cancel& m) { return spanned(MessageId::kCancel, m.span); }
  bool operator()(const core::RejectRequest& m) {
    return spanned(MessageId::kRejectRequest, m.span);
  }
  bool operator()(const core::HashRequest& m) { return hashes(MessageId::kHashRequest, m.span); }
  bool operator()(const core::HashReject& m) { return hashes(MessageId::kHashReject, m.span); }

  bool operator()(const core::BitfieldMessage& m) {
    head(MessageId::kBitfield, m.bytes.size());
    return append(out_, m.bytes), true;
  }
  bool operator()(const core::Piece& m) { return append(out_, encode_piece_header(m.span)), true; }
  bool operator()(const core::Hashes& m) {
    hashes(MessageId::kHashes, m.span, m.hashes.size() * Sha256::kSize);
    for (const Sha256& hash : m.hashes) append(out_, hash.bytes);
    return true;
  }
  bool operator()(const core::DontHave& m) {
    if (peer_ids_.dont_have == 0) return false;
    extended(peer_ids_.dont_have, 4);
    return append_u32(out_, u32(m.piece)), true;
  }
  bool operator()(const core::PeerExchange& m) {
    if (peer_ids_.peer_exchange == 0) return false;
    const OctetBuffer dictionary = encode_peer_exchange(m);
    extended(peer_ids_.peer_exchange, dictionary.size());
    return append(out_, dictionary), true;
  }
  bool operator()(const core::MetadataRequest& m) { return metadata(encode_metadata(m)); }
  bool operator()(const core::MetadataData& m) { return metadata(encode_metadata(m)); }
  bool operator()(const core::MetadataReject& m) { return metadata(encode_metadata(m)); }
  bool operator()(const core::NeedMessage& m) {
    if (peer_ids_.need == 0) return false;
    extended(peer_ids_.need, 1);
    return out_.push_back(static_cast<std::uint8_t>(m.need)), true;
  }
  bool operator()(const core::HolePunch& m) {
    if (peer_ids_.hole_punch == 0) return false;
    const OctetBuffer fields = encode_hole_punch(m);
    extended(peer_ids_.hole_punch, fields.size());
    return append(out_, fields), true;
  }
  bool operator()(const core::OverlayQuery& m) { return overlay(encode_overlay(m)); }
  bool operator()(const core::OverlayAnswer& m) { return overlay(encode_overlay(m)); }
  bool operator()(const core::ExtendedHandshake& m) {
    const OctetBuffer dictionary = encode_extended_handshake(m);
    extended(kExtendedHandshakeId, dictionary.size());
    return append(out_, dictionary), true;
  }

 private:
  bool head(MessageId id, std::size_t field_bytes = 0) {
    append_u32(out_, static_cast<std::uint32_t>(field_bytes + 1));
    out_.push_back(static_cast<std::uint8_t>(id));
    return true;
  }
  void extended(std::uint8_t id, std::size_t field_bytes) {
    head(MessageId::kExtended, field_bytes + 1);
    out_.push_back(id);
  }
  bool metadata(const OctetBuffer& message) {
    if (peer_ids_.metadata == 0) return false;
    extended(peer_ids_.metadata, message.size());
    return append(out_, message), true;
  }
  bool overlay(const OctetBuffer& dictionary) {
    if (peer_ids_.overlay == 0) return false;
    extended(peer_ids_.overlay, dictionary.size());
    return append(out_, dictionary), true;
  }
  bool indexed(MessageId id, core::PieceIndex piece) {
    head(id, 4);
    return append_u32(out_, u32(piece)), true;
  }
  bool spanned(MessageId id, const core::BlockSpan& span) {
    head(id, 12);
    append_u32(out_, u32(span.piece));
    append_u32(out_, u32(span.begin));
    return append_u32(out_, u32(span.length)), true;
  }
  bool hashes(MessageId id, const core::HashSpan& span, std::size_t more = 0) {
    head(id, Sha256::kSize + 16 + more);
    append(out_, span.pieces_root.bytes);
    for (std::uint32_t field : {span.base_layer, span.index, span.length, span.proof_layers}) {
      append_u32(out_, field);
    }
    return true;
  }

  ExtensionIds peer_ids_;
  OctetBuffer& out_;
};

}  // namespace

std::array<std::uint8_t, kHandshakeSize> encode_handshake(const core::Handshake& handshake) {
  std::array<std::uint8_t, kHandshakeSize> out{};
  std::copy(kProtocol.begin(), kProtocol.end(), out.begin());
  if (handshake.extended) out[kReservedAt + 5] |= kExtendedBit;
  if (handshake.fast) out[kReservedAt + 7] |= kFastBit;
  if (handshake.v2) out[kReservedAt + 7] |= kV2Bit;
  if (handshake.dht) out[kReservedAt + 7] |= kDhtBit;
  std::copy(handshake.info_hash.bytes.begin(), handshake.info_hash.bytes.end(),
            out.begin() + kHashAt);
  std::copy(handshake.peer_id.bytes.begin(), handshake.peer_id.bytes.end(),
            out.begin() + kPeerIdAt);
  return out;
}

bool is_handshake_prefix(Octets bytes) {
  const std::string_view text = as_text(bytes);
  return text.substr(0, kProtocol.size()) == kProtocol.substr(0, text.size());
}

Result<core::Handshake> decode_handshake(std::span<const std::uint8_t, kHandshakeSize> bytes) {
  if (!is_handshake_prefix(bytes)) return invalid("not a BitTorrent handshake");
  return core::Handshake{.info_hash = InfoHash::from(bytes.subspan(kHashAt, InfoHash::kSize)),
                         .peer_id = PeerId::from(bytes.subspan(kPeerIdAt, PeerId::kSize)),
                         .fast = (bytes[kReservedAt + 7] & kFastBit) != 0,
                         .extended = (bytes[kReservedAt + 5] & kExtendedBit) != 0,
                         .v2 = (bytes[kReservedAt + 7] & kV2Bit) != 0,
                         .dht = (bytes[kReservedAt + 7] & kDhtBit) != 0};
}

bool encode_message(const core::Message& message, const ExtensionIds& peer_ids, OctetBuffer& out) {
  return std::visit(Writer(peer_ids, out), message);
}

std::array<std::uint8_t, kPieceHeaderSize> encode_piece_header(const core::BlockSpan& span) {
  OctetBuffer bytes;
  append_u32(bytes, u32(span.length) + 9);
  bytes.push_back(static_cast<std::uint8_t>(MessageId::kPiece));
  append_u32(bytes, u32(span.piece));
  append_u32(bytes, u32(span.begin));
  std::array<std::uint8_t, kPieceHeaderSize> out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

}  // namespace tributary::wire
