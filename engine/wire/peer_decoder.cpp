#include <algorithm>
#include <limits>
#include <utility>

#include "engine/base/check.h"
#include "engine/wire/merkle.h"
#include "engine/wire/peer_codec.h"
#include "engine/wire/peer_message_ids.h"

namespace tributary::wire {
namespace {

constexpr std::size_t kPrefixSize = 4;  // the length in front of each message
constexpr std::size_t kHashSpanSize = Sha256::kSize + 16;

Result<core::PieceIndex> read_piece(Octets body, std::size_t at) {
  const std::uint32_t piece = read_u32(body, at);
  if (piece > static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max())) {
    return invalid("a piece index over 2^31");
  }
  return core::PieceIndex(static_cast<std::int32_t>(piece));
}

// REQUIRES: 12 bytes.
Result<core::BlockSpan> read_span(Octets fields) {
  TRIBUTARY_TRY(piece, read_piece(fields, 0));
  return core::BlockSpan{piece, Bytes(read_u32(fields, 4)), Bytes(read_u32(fields, 8))};
}

core::HashSpan read_hash_span(Octets fields) {
  return {.pieces_root = Sha256::from(fields.first(Sha256::kSize)),
          .base_layer = read_u32(fields, 32),
          .index = read_u32(fields, 36),
          .length = read_u32(fields, 40),
          .proof_layers = read_u32(fields, 44)};
}

Result<core::Message> decode_hashes(Octets fields) {
  const Octets hashes = fields.subspan(kHashSpanSize);
  if (hashes.size() % Sha256::kSize != 0) return invalid("a hashes message of broken hashes");
  core::Hashes message{.span = read_hash_span(fields), .hashes = {}};
  for (std::size_t at = 0; at < hashes.size(); at += Sha256::kSize) {
    message.hashes.push_back(Sha256::from(hashes.subspan(at, Sha256::kSize)));
  }
  return core::Message(std::move(message));
}

// The bytes that follow the id of a known message, or nothing if their count varies.
std::optional<std::size_t> fixed_size(MessageId id) {
  switch (id) {
    case MessageId::kChoke:
    case MessageId::kUnchoke:
    case MessageId::kInterested:
    case MessageId::kNotInterested:
    case MessageId::kHaveAll:
    case MessageId::kHaveNone:
      return 0;
    case MessageId::kPort:
      return 2;
    case MessageId::kHave:
    case MessageId::kSuggestPiece:
    case MessageId::kAllowedFast:
      return 4;
    case MessageId::kRequest:
    case MessageId::kCancel:
    case MessageId::kRejectRequest:
      return 12;
    case MessageId::kHashRequest:
    case MessageId::kHashReject:
      return kHashSpanSize;
    default:
      return std::nullopt;
  }
}

template <class M>
Result<core::Message> with_piece(Octets fields) {
  TRIBUTARY_TRY(piece, read_piece(fields, 0));
  return core::Message(M{piece});
}

template <class M>
Result<core::Message> with_span(Octets fields) {
  TRIBUTARY_TRY(span, read_span(fields));
  return core::Message(M{span});
}

// REQUIRES: fields has the fixed size of the id. Nothing for ids that are unknown.
std::optional<Result<core::Message>> decode_plain(MessageId id, Octets fields) {
  using core::Message;
  switch (id) {
    case MessageId::kChoke:
      return Message(core::Choke{});
    case MessageId::kUnchoke:
      return Message(core::Unchoke{});
    case MessageId::kInterested:
      return Message(core::Interested{});
    case MessageId::kNotInterested:
      return Message(core::NotInterested{});
    case MessageId::kHaveAll:
      return Message(core::HaveAll{});
    case MessageId::kHaveNone:
      return Message(core::HaveNone{});
    case MessageId::kPort:
      return Message(core::Port{read_u16(fields)});
    case MessageId::kHave:
      return with_piece<core::Have>(fields);
    case MessageId::kSuggestPiece:
      return with_piece<core::SuggestPiece>(fields);
    case MessageId::kAllowedFast:
      return with_piece<core::AllowedFast>(fields);
    case MessageId::kRequest:
      return with_span<core::Request>(fields);
    case MessageId::kCancel:
      return with_span<core::Cancel>(fields);
    case MessageId::kRejectRequest:
      return with_span<core::RejectRequest>(fields);
    case MessageId::kHashRequest:
      return Message(core::HashRequest{read_hash_span(fields)});
    case MessageId::kHashReject:
      return Message(core::HashReject{read_hash_span(fields)});
    case MessageId::kBitfield:
      return Message(core::BitfieldMessage{{fields.begin(), fields.end()}});
    default:
      return std::nullopt;
  }
}

}  // namespace

PeerDecoder::PeerDecoder(PayloadBuffers& buffers) : buffers_(buffers) {}

PeerDecoder::~PeerDecoder() {
  if (arriving_) buffers_.free(arriving_->buffer);
}

Error PeerDecoder::fail(std::string why) {
  if (arriving_) buffers_.free(arriving_->buffer);
  arriving_.reset();
  error_ = std::make_unique<const Error>(invalid(std::move(why)));
  return *error_;
}

Result<void> PeerDecoder::feed(Octets bytes, std::vector<core::Message>& out) {
  if (error_) return *error_;
  OctetBuffer joined = std::exchange(begun_, {});
  if (!joined.empty()) {
    append(joined, bytes);
    bytes = joined;
  }
  while (!bytes.empty()) {
    const auto taken = arriving_ ? take_payload(bytes, out) : take_message(bytes, out);
    if (!taken) return fail(taken.error().message);
    if (*taken == 0) break;
    bytes = bytes.subspan(*taken);
  }
  if (bytes.size() == joined.size()) {
    begun_ = std::move(joined);
  } else {
    begun_.assign(bytes.begin(), bytes.end());
  }
  return {};
}

std::size_t PeerDecoder::take_payload(Octets bytes, std::vector<core::Message>& out) {
  const std::size_t n = std::min(bytes.size(), arriving_->room.size());
  std::copy_n(bytes.begin(), n, arriving_->room.begin());
  arriving_->room = arriving_->room.subspan(n);
  if (arriving_->room.empty()) {
    out.emplace_back(core::Piece{arriving_->span, arriving_->buffer});
    arriving_.reset();
  }
  return n;
}

Result<std::size_t> PeerDecoder::take_message(Octets bytes, std::vector<core::Message>& out) {
  if (bytes.size() < kPrefixSize) return std::size_t{0};
  const std::uint32_t length = read_u32(bytes);
  if (length == 0) {
    out.emplace_back(core::KeepAlive{});
    return kPrefixSize;
  }
  if (length > kMaxMessageLength) {
    return invalid("a message of " + std::to_string(length) + " bytes, over the limit of " +
                   std::to_string(kMaxMessageLength));
  }
  if (bytes.size() == kPrefixSize) return std::size_t{0};
  if (bytes[kPrefixSize] == static_cast<std::uint8_t>(MessageId::kPiece)) {
    return take_piece_header(bytes, out);
  }
  if (bytes.size() < kPrefixSize + length) return std::size_t{0};
  if (auto done = decode(bytes.subspan(kPrefixSize, length), out); !done) return done.error();
  return kPrefixSize + length;
}

Result<std::size_t> PeerDecoder::take_piece_header(Octets bytes, std::vector<core::Message>& out) {
  constexpr std::size_t kFields = kPieceHeaderSize - kPrefixSize;
  const std::uint32_t length = read_u32(bytes);
  if (length < kFields) return invalid("a piece message without its fields");
  const Bytes size(std::int64_t{length} - static_cast<std::int64_t>(kFields));
  if (size > kMaxPiecePayload) {
    return invalid("a piece message of " + std::to_string(size.count()) +
                   " bytes of payload, over the limit of 16 KiB");
  }
  if (bytes.size() < kPieceHeaderSize) return std::size_t{0};
  TRIBUTARY_TRY(piece, read_piece(bytes, kPrefixSize + 1));
  const core::BlockSpan span{piece, Bytes(read_u32(bytes, kPrefixSize + 5)), size};
  if (size == 0_B) {
    out.emplace_back(core::Piece{span, core::kNoBuffer});
    return kPieceHeaderSize;
  }
  const PayloadBuffers::Buffer buffer = buffers_.allocate(size);
  TRIBUTARY_CHECK(std::ssize(buffer.memory) == size.count());
  arriving_ = Arriving{span, buffer.id, buffer.memory};
  return kPieceHeaderSize;
}

Result<void> PeerDecoder::decode(Octets body, std::vector<core::Message>& out) {
  const auto id = static_cast<MessageId>(body.front());
  const Octets fields = body.subspan(1);
  if (id == MessageId::kExtended) return decode_extended(fields, out);
  if (const auto size = fixed_size(id); size && *size != fields.size()) {
    return invalid("message " + std::to_string(body.front()) + " of " +
                   std::to_string(fields.size()) + " bytes instead of " + std::to_string(*size));
  }
  if (id == MessageId::kHashes && fields.size() < kHashSpanSize) {
    return invalid("a hashes message without its fields");
  }
  std::optional<Result<core::Message>> message =
      id == MessageId::kHashes ? decode_hashes(fields) : decode_plain(id, fields);
  if (!message) return {};  // an id of some extension that was not agreed on
  if (!message->ok()) return message->error();
  out.push_back(std::move(message->value()));
  return {};
}

Result<void> PeerDecoder::decode_extended(Octets body, std::vector<core::Message>& out) {
  if (body.empty()) return invalid("an extended message without its id");
  const Octets fields = body.subspan(1);
  if (body.front() == kExtendedHandshakeId) {
    TRIBUTARY_TRY(decoded, decode_extended_handshake(fields));
    peer_ids_ = decoded.ids;
    out.emplace_back(std::move(decoded.handshake));
  } else if (body.front() == kDontHaveId) {
    if (fields.size() != 4) return invalid("lt_donthave of another size than 4 bytes");
    TRIBUTARY_TRY(piece, read_piece(fields, 0));
    out.emplace_back(core::DontHave{piece});
  } else if (body.front() == kPeerExchangeId) {
    TRIBUTARY_TRY(exchange, decode_peer_exchange(fields));
    out.emplace_back(std::move(exchange));
  } else if (body.front() == kMetadataId) {
    TRIBUTARY_TRY(message, decode_metadata(fields));
    if (message) out.push_back(*std::move(message));
  } else if (body.front() == kHolePunchId) {
    TRIBUTARY_TRY(message, decode_hole_punch(fields));
    if (message) out.push_back(*std::move(message));
  } else if (body.front() == kNeedId) {
    constexpr auto kMost = static_cast<std::uint8_t>(core::Need::kPlaying);
    if (fields.size() != 1) return invalid("tributary_need of another size than 1 byte");
    if (fields[0] > kMost) return invalid("tributary_need over " + std::to_string(kMost));
    out.emplace_back(core::NeedMessage{static_cast<core::Need>(fields[0])});
  } else if (body.front() == kOverlayId) {
    TRIBUTARY_TRY(message, decode_overlay(fields));
    if (message) out.push_back(*std::move(message));
  }
  return {};
}

}  // namespace tributary::wire
