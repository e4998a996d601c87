// The peer protocol as bytes: BEP 3, 6 (fast), 9 (ut_metadata), 10 (extensions), 11 (ut_pex), 21,
// 52 (hashes), 54 (lt_donthave), 55 (ut_holepunch), and our own: tributary_need is one byte,
// core::Need; for tributary_query see decode_overlay().
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/message.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

inline constexpr std::size_t kHandshakeSize = 68;
// Of it, what names the protocol and is the same in all.
inline constexpr std::size_t kProtocolNameSize = 20;

std::array<std::uint8_t, kHandshakeSize> encode_handshake(const core::Handshake& handshake);
// Fails when the bytes are of another protocol.
Result<core::Handshake> decode_handshake(std::span<const std::uint8_t, kHandshakeSize> bytes);
// Whether a handshake may begin with these bytes; lets a host drop strangers early.
bool is_handshake_prefix(Octets bytes);

// Limits of one message; a longer one is an error and ends the connection.
// Payload of a piece message: one block, for the core asks for no more. A longer one was not asked
// for, whatever the 128 KiB of older clients.
inline constexpr Bytes kMaxPiecePayload = core::kBlockSize;
// Any other message: a bitfield of kMaxPieces (256 KiB), or kMaxHashesPerRequest hashes with
// uncles.
inline constexpr std::size_t kMaxMessageLength = 260U << 10;
// An extended handshake: a dictionary of a few short keys.
inline constexpr std::size_t kMaxExtendedHandshake = 16U << 10;
// "v" of a handshake is cut to this many bytes.
inline constexpr std::size_t kMaxClientName = 64;

// Peers taken from one ut_pex message of each kind and family; BEP 11 allows 50 and more at first.
inline constexpr std::size_t kMaxExchangedPeers = 200;

// The extended message ids that we advertise, so those by which peers address us. ut_pex,
// ut_metadata, ut_holepunch and lt_donthave have libtorrent's own numbers, so that clients that mix
// up the directions are understood all the same.
inline constexpr std::uint8_t kExtendedHandshakeId = 0;
inline constexpr std::uint8_t kPeerExchangeId = 1;
inline constexpr std::uint8_t kMetadataId = 2;
inline constexpr std::uint8_t kHolePunchId = 4;
inline constexpr std::uint8_t kDontHaveId = 7;
inline constexpr std::uint8_t kTributaryId = 8;
inline constexpr std::uint8_t kNeedId = 9;
inline constexpr std::uint8_t kOverlayId = 10;

// By which ids a peer wants extended messages; 0: it does not understand them.
struct ExtensionIds {
  std::uint8_t dont_have = 0;
  std::uint8_t peer_exchange = 0;
  std::uint8_t metadata = 0;
  std::uint8_t need = 0;
  std::uint8_t hole_punch = 0;
  std::uint8_t overlay = 0;
  friend bool operator==(const ExtensionIds&, const ExtensionIds&) = default;
};
// Ours, as a peer uses them.
inline constexpr ExtensionIds kOurExtensionIds{kDontHaveId, kPeerExchangeId, kMetadataId,
                                               kNeedId,     kHolePunchId,    kOverlayId};

// Where payloads go. Implemented by the host; called within feed() only.
class PayloadBuffers {
 public:
  virtual ~PayloadBuffers() = default;
  struct Buffer {
    core::BufferId id;
    std::span<std::uint8_t>
        memory;  // of exactly the length asked for; stays put until taken or freed
  };
  // Room for a payload of 1 to kMaxPiecePayload bytes.
  virtual Buffer allocate(Bytes length) = 0;
  // A buffer whose payload never became whole.
  virtual void free(core::BufferId id) = 0;
};

// The byte stream from one peer, after its handshake, as messages. Once an error is returned the
// stream is lost and every further call returns it again.
//
// Messages are decoded where they are, and payloads copied once, into their buffers; only a message
// that is not whole yet is kept. A Piece message owns its buffer: the receiver frees it. An empty
// piece comes with kNoBuffer.
class PeerDecoder {
 public:
  // `buffers` must outlive the decoder.
  explicit PeerDecoder(PayloadBuffers& buffers);
  ~PeerDecoder();
  PeerDecoder(const PeerDecoder&) = delete;
  PeerDecoder& operator=(const PeerDecoder&) = delete;

  // Takes the next bytes and appends the messages that became whole.
  Result<void> feed(Octets bytes, std::vector<core::Message>& out);
  // So many of the next bytes belong to a payload that has its buffer; 0: none is arriving.
  std::size_t payload_left() const { return arriving_ ? arriving_->room.size() : 0; }

  // The peer's, as its last extended handshake told them. For encode_message().
  const ExtensionIds& peer_ids() const { return peer_ids_; }

 private:
  Error fail(std::string why);
  // Each takes what it says off the front, and returns how many bytes these were; 0: more is
  // needed. A message, or a piece's header:
  Result<std::size_t> take_message(Octets bytes, std::vector<core::Message>& out);
  Result<std::size_t> take_piece_header(Octets bytes, std::vector<core::Message>& out);
  std::size_t take_payload(Octets bytes, std::vector<core::Message>& out);
  Result<void> decode(Octets body, std::vector<core::Message>& out);
  Result<void> decode_extended(Octets body, std::vector<core::Message>& out);

  PayloadBuffers& buffers_;
  OctetBuffer begun_;  // a message that is not whole yet
  // The piece message whose payload is arriving, if any.
  struct Arriving {
    core::BlockSpan span;
    core::BufferId buffer;
    std::span<std::uint8_t> room;  // of it, for what is still to come
  };
  std::optional<Arriving> arriving_;
  std::unique_ptr<const Error> error_;
  ExtensionIds peer_ids_;
};

// Appends the message to `out`, length prefix included. `peer_ids` are the decoder's. Of a
// Piece only the 13 bytes of header are written; its payload of span.length bytes follows by the
// host's hand. False, and nothing written, when the peer does not understand the message.
bool encode_message(const core::Message& message, const ExtensionIds& peer_ids, OctetBuffer& out);

inline constexpr std::size_t kPieceHeaderSize = 13;
// What precedes a block's payload on the wire.
std::array<std::uint8_t, kPieceHeaderSize> encode_piece_header(const core::BlockSpan& span);

// The dictionary of an extended handshake, without prefix and ids.
OctetBuffer encode_extended_handshake(const core::ExtendedHandshake& handshake);
struct DecodedExtendedHandshake {
  core::ExtendedHandshake handshake;
  ExtensionIds ids;
};
Result<DecodedExtendedHandshake> decode_extended_handshake(Octets dictionary);

// The dictionary of a ut_pex message, without prefix and ids (BEP 11).
OctetBuffer encode_peer_exchange(const core::PeerExchange& message);
// Addresses above kMaxExchangedPeers, with port 0 or cut off are left out.
Result<core::PeerExchange> decode_peer_exchange(Octets dictionary);

// A ut_holepunch message without prefix and ids (BEP 55).
OctetBuffer encode_hole_punch(const core::HolePunch& message);
// Nothing for a kind of message or address that is unknown. The reason is written always, but
// libtorrent leaves it out where there is none. Errors: a message cut short, or with more behind
// it.
Result<std::optional<core::Message>> decode_hole_punch(Octets message);

// A ut_metadata message without prefix and ids (BEP 9): a dictionary, and behind a data message's
// one the bytes.
OctetBuffer encode_metadata(const core::MetadataRequest& message);
OctetBuffer encode_metadata(const core::MetadataData& message);
OctetBuffer encode_metadata(const core::MetadataReject& message);
// Nothing for a type that is unknown, which BEP 9 has us ignore. Errors: no dictionary, a piece
// below 0 or over 2^31, a total size below 1, more than a piece of bytes.
Result<std::optional<core::Message>> decode_metadata(Octets message);

// A tributary_query message without prefix and ids: a dictionary with `msg_type` and `id`, 8 bytes.
// 0, a query: `info_hash`, 20 bytes, and `hops`, 1 or 2. 1, an answer: `have`, 1 where the sender
// has it itself, and `peers` and `peers6`, compact as trackers have them (BEP 23, BEP 7).
// REQUIRES: of a query the hops are in their range; of an answer at most kMaxOverlayPeers.
OctetBuffer encode_overlay(const core::OverlayQuery& message);
OctetBuffer encode_overlay(const core::OverlayAnswer& message);
// Nothing for an unknown type. Errors: no dictionary, one over kMaxOverlayMessage, an id, a hash or
// hops of another size. Addresses above kMaxOverlayPeers, with port 0 or cut off are left out.
inline constexpr std::size_t kMaxOverlayMessage = 1024;  // an answer of 20 IPv6 addresses has 430
Result<std::optional<core::Message>> decode_overlay(Octets dictionary);

}  // namespace tributary::wire
