#include <algorithm>

#include "engine/base/check.h"
#include "engine/wire/address.h"
#include "engine/wire/bencode_encoder.h"
#include "engine/wire/peer_codec.h"

namespace tributary::wire {
namespace {

constexpr std::int64_t kQuery = 0;
constexpr std::int64_t kAnswer = 1;
constexpr std::size_t kQueryIdSize = 8;

OctetBuffer id_octets(core::QueryId id) {
  OctetBuffer out;
  append_u64(out, id.value());
  return out;
}

Result<core::QueryId> read_id(BencodeView root) {
  const Octets id = as_octets(root.find("id").string().value_or(""));
  if (id.size() != kQueryIdSize) return invalid("tributary_query: an id of another size than 8");
  return core::QueryId(read_u64(id));
}

void append_addresses(BencodeEncoder& out, const char* name, const std::vector<Endpoint>& peers,
                      AddressFamily family) {
  OctetBuffer compact;
  for (const Endpoint& peer : peers) {
    if (family_of(peer) == family) append_compact(compact, peer);
  }
  if (!compact.empty()) out.key(name).string(compact);
}

void read_addresses(BencodeView list, std::size_t size, std::vector<Endpoint>& out) {
  Octets octets = as_octets(list.string().value_or(""));
  for (; octets.size() >= size && out.size() < core::kMaxOverlayPeers;
       octets = octets.subspan(size)) {
    const Endpoint peer = read_compact(octets.first(size));
    if (peer.port != 0) out.push_back(peer);
  }
}

Result<core::Message> read_query(BencodeView root, core::QueryId id) {
  const Octets sought = as_octets(root.find("info_hash").string().value_or(""));
  if (sought.size() != InfoHash::kSize) {
    return invalid("tributary_query: an info-hash of another size than 20");
  }
  const std::int64_t hops = root.find("hops").integer().value_or(0);
  if (hops < 1 || hops > core::kOverlayHops) {
    return invalid("tributary_query: hops beyond " + std::to_string(core::kOverlayHops));
  }
  return core::Message(
      core::OverlayQuery{id, InfoHash::from(sought), static_cast<std::uint8_t>(hops)});
}

core::Message read_answer(BencodeView root, core::QueryId id) {
  core::OverlayAnswer answer{id, root.find("have").integer().value_or(0) == 1, {}};
  read_addresses(root.find("peers"), kCompactV4Size, answer.peers);
  read_addresses(root.find("peers6"), kCompactV6Size, answer.peers);
  return answer;
}

}  // namespace

OctetBuffer encode_overlay(const core::OverlayQuery& message) {
  TRIBUTARY_CHECK(message.hops >= 1 && message.hops <= core::kOverlayHops);
  BencodeEncoder out;
  out.begin_dict().key("hops").integer(message.hops).key("id").string(id_octets(message.id));
  out.key("info_hash").string(message.sought.bytes).key("msg_type").integer(kQuery);
  return out.end().take();
}

OctetBuffer encode_overlay(const core::OverlayAnswer& message) {
  TRIBUTARY_CHECK(message.peers.size() <= core::kMaxOverlayPeers);
  BencodeEncoder out;
  out.begin_dict();
  if (message.self) out.key("have").integer(1);
  out.key("id").string(id_octets(message.id)).key("msg_type").integer(kAnswer);
  append_addresses(out, "peers", message.peers, AddressFamily::kV4);
  append_addresses(out, "peers6", message.peers, AddressFamily::kV6);
  return out.end().take();
}

Result<std::optional<core::Message>> decode_overlay(Octets dictionary) {
  BencodeLimits limits;
  limits.max_size = kMaxOverlayMessage;
  limits.max_items = 32;
  limits.max_depth = 4;
  auto document = decode_bencode(dictionary, limits);
  if (!document) return invalid("tributary_query: " + document.error().message);
  const BencodeView root = document->root();
  if (!root.is_dict()) return invalid("tributary_query: no dictionary");
  const auto type = root.find("msg_type").integer();
  if (!type) return invalid("tributary_query: no type");
  if (*type != kQuery && *type != kAnswer) return std::optional<core::Message>();
  TRIBUTARY_TRY(id, read_id(root));
  if (*type == kAnswer) return std::optional<core::Message>(read_answer(root, id));
  TRIBUTARY_TRY(query, read_query(root, id));
  return std::optional<core::Message>(std::move(query));
}

}  // namespace tributary::wire
