#include <algorithm>
#include <limits>

#include "engine/wire/address.h"
#include "engine/wire/bencode_encoder.h"
#include "engine/wire/peer_codec.h"
#include "engine/wire/text.h"

namespace tributary::wire {
namespace {

constexpr const char* kDontHaveName = "lt_donthave";
constexpr const char* kPeerExchangeName = "ut_pex";
constexpr const char* kMetadataName = "ut_metadata";
constexpr const char* kHolePunchName = "ut_holepunch";
constexpr const char* kTributaryName = "tributary";
constexpr const char* kNeedName = "tributary_need";
constexpr const char* kOverlayName = "tributary_query";

// The id under which the peer knows an extension; 0, or no byte, means that it does not.
std::uint8_t extension_id(BencodeView names, std::string_view name) {
  const std::int64_t id = names.find(name).integer().value_or(0);
  return id > 0 && id < 256 ? static_cast<std::uint8_t>(id) : 0;
}

}  // namespace

OctetBuffer encode_extended_handshake(const core::ExtendedHandshake& handshake) {
  BencodeEncoder out;
  out.begin_dict().key("m").begin_dict();
  if (handshake.dont_have) out.key(kDontHaveName).integer(kDontHaveId);
  if (handshake.tributary) out.key(kTributaryName).integer(kTributaryId);
  if (handshake.need) out.key(kNeedName).integer(kNeedId);
  if (handshake.overlay) out.key(kOverlayName).integer(kOverlayId);
  if (handshake.hole_punch) out.key(kHolePunchName).integer(kHolePunchId);
  if (handshake.metadata) out.key(kMetadataName).integer(kMetadataId);
  if (handshake.peer_exchange) out.key(kPeerExchangeName).integer(kPeerExchangeId);
  out.end();
  if (handshake.metadata_size) out.key("metadata_size").integer(handshake.metadata_size->count());
  if (handshake.listen_port) out.key("p").integer(*handshake.listen_port);
  if (handshake.request_queue) out.key("reqq").integer(*handshake.request_queue);
  if (handshake.upload_only) out.key("upload_only").integer(*handshake.upload_only ? 1 : 0);
  if (!handshake.client.empty()) out.key("v").string(handshake.client);
  if (handshake.your_ip) out.key("yourip").string(address_octets(*handshake.your_ip));
  return out.end().take();
}

Result<DecodedExtendedHandshake> decode_extended_handshake(Octets dictionary) {
  BencodeLimits limits;
  limits.max_size = kMaxExtendedHandshake;
  limits.max_items = kMaxExtendedHandshake / 2;
  limits.max_depth = 8;
  auto document = decode_bencode(dictionary, limits);
  if (!document) return invalid("extended handshake: " + document.error().message);
  const BencodeView root = document->root();
  if (!root.is_dict()) return invalid("extended handshake: no dictionary");
  DecodedExtendedHandshake out;
  const BencodeView names = root.find("m");
  out.ids.dont_have = extension_id(names, kDontHaveName);
  out.handshake.dont_have = out.ids.dont_have != 0;
  out.ids.peer_exchange = extension_id(names, kPeerExchangeName);
  out.handshake.peer_exchange = out.ids.peer_exchange != 0;
  out.ids.metadata = extension_id(names, kMetadataName);
  out.handshake.metadata = out.ids.metadata != 0;
  out.ids.hole_punch = extension_id(names, kHolePunchName);
  out.handshake.hole_punch = out.ids.hole_punch != 0;
  if (const auto n = root.find("metadata_size").integer(); n && *n > 0) {
    out.handshake.metadata_size = Bytes(*n);
  }
  out.ids.need = extension_id(names, kNeedName);
  out.handshake.need = out.ids.need != 0;
  out.ids.overlay = extension_id(names, kOverlayName);
  out.handshake.overlay = out.ids.overlay != 0;
  out.handshake.tributary = extension_id(names, kTributaryName) != 0;
  out.handshake.client = printable(root.find("v").string().value_or("").substr(0, kMaxClientName));
  if (const auto n = root.find("reqq").integer(); n && *n >= 0) {
    const std::int64_t most = std::numeric_limits<std::int32_t>::max();
    out.handshake.request_queue = static_cast<std::int32_t>(std::min(*n, most));
  }
  if (const auto n = root.find("upload_only").integer()) out.handshake.upload_only = *n != 0;
  if (const auto n = root.find("p").integer(); n && *n > 0 && *n < 65536) {
    out.handshake.listen_port = static_cast<std::uint16_t>(*n);
  }
  out.handshake.your_ip = read_address(as_octets(root.find("yourip").string().value_or("")));
  return out;
}

}  // namespace tributary::wire
