#include <limits>

#include "engine/wire/bencode_encoder.h"
#include "engine/wire/peer_codec.h"

namespace tributary::wire {
namespace {

constexpr std::int64_t kRequest = 0;
constexpr std::int64_t kData = 1;
constexpr std::int64_t kReject = 2;

OctetBuffer encode_head(std::int64_t type, std::int32_t piece) {
  BencodeEncoder out;
  out.begin_dict().key("msg_type").integer(type).key("piece").integer(piece);
  return out.end().take();
}

Result<core::Message> read_data(BencodeView root, std::int32_t piece, Octets bytes) {
  const std::int64_t size = root.find("total_size").integer().value_or(0);
  if (size < 1) return invalid("ut_metadata: data without a total size");
  if (std::ssize(bytes) > core::kMetadataPieceSize.count()) {
    return invalid("ut_metadata: more than a piece of bytes");
  }
  return core::Message(core::MetadataData{piece, Bytes(size), {bytes.begin(), bytes.end()}});
}

}  // namespace

OctetBuffer encode_metadata(const core::MetadataRequest& message) {
  return encode_head(kRequest, message.piece);
}

OctetBuffer encode_metadata(const core::MetadataReject& message) {
  return encode_head(kReject, message.piece);
}

OctetBuffer encode_metadata(const core::MetadataData& message) {
  BencodeEncoder out;
  out.begin_dict().key("msg_type").integer(kData).key("piece").integer(message.piece);
  out.key("total_size").integer(message.total_size.count());
  OctetBuffer bytes = out.end().take();
  append(bytes, message.bytes);
  return bytes;
}

Result<std::optional<core::Message>> decode_metadata(Octets message) {
  BencodeLimits limits;
  limits.max_size = kMaxMessageLength;
  limits.max_items = 64;
  limits.max_depth = 4;
  auto document = decode_bencode_prefix(message, limits);
  if (!document) return invalid("ut_metadata: " + document.error().message);
  const BencodeView root = document->root();
  if (!root.is_dict()) return invalid("ut_metadata: no dictionary");
  const auto type = root.find("msg_type").integer();
  if (!type) return invalid("ut_metadata: no type");
  if (*type != kRequest && *type != kData && *type != kReject) {
    return std::optional<core::Message>();
  }
  const std::int64_t number = root.find("piece").integer().value_or(-1);
  if (number < 0 || number > std::numeric_limits<std::int32_t>::max()) {
    return invalid("ut_metadata: no piece of that number");
  }
  const auto piece = static_cast<std::int32_t>(number);
  const Octets rest = message.subspan(root.raw().size());
  if (*type == kData) {
    TRIBUTARY_TRY(data, read_data(root, piece, rest));
    return std::optional<core::Message>(std::move(data));
  }
  if (*type == kRequest) return std::optional<core::Message>(core::MetadataRequest{piece});
  return std::optional<core::Message>(core::MetadataReject{piece});
}

}  // namespace tributary::wire
