#include "engine/wire/dht_state.h"

#include <algorithm>

#include "engine/wire/address.h"
#include "engine/wire/bencode.h"
#include "engine/wire/bencode_encoder.h"

namespace tributary::wire {
namespace {

namespace dht = core::dht;
using std::chrono::seconds;

constexpr std::int64_t kVersion = 1;
constexpr std::size_t kSilenceSize = 4;
constexpr std::int64_t kMostSeconds = std::int64_t{1} << 40;  // keeps microseconds within 64 bits

std::int64_t whole_seconds(Duration time) { return std::chrono::floor<seconds>(time).count(); }

OctetBuffer node_text(const dht::SavedContact& node) {
  const auto& id = node.contact.id.bytes;
  OctetBuffer out(id.begin(), id.end());
  append_compact(out, node.contact.endpoint);
  const std::int64_t silent = whole_seconds(node.silent);
  append_u32(out, static_cast<std::uint32_t>(std::clamp<std::int64_t>(silent, 0, UINT32_MAX)));
  return out;
}

std::optional<dht::SavedContact> read_node(Octets text) {
  constexpr std::size_t kRest = dht::NodeId::kSize + kSilenceSize;
  if (text.size() != kRest + kCompactV4Size && text.size() != kRest + kCompactV6Size) {
    return std::nullopt;
  }
  const std::size_t address_size = text.size() - kRest;
  dht::SavedContact out;
  out.contact.id = dht::NodeId::from(text.first(dht::NodeId::kSize));
  out.contact.endpoint = read_compact(text.subspan(dht::NodeId::kSize, address_size));
  out.silent = seconds(read_u32(text, text.size() - kSilenceSize));
  if (out.contact.endpoint.port == 0) return std::nullopt;
  return out;
}

}  // namespace

OctetBuffer encode_dht_state(const DhtState& state) {
  BencodeEncoder out;
  out.begin_dict().key("id").string(state.id.bytes).key("nodes").begin_list();
  const std::size_t count = std::min(state.nodes.size(), kMaxDhtStateNodes);
  for (std::size_t i = 0; i < count; ++i) out.string(Octets(node_text(state.nodes[i])));
  out.end().key("saved").integer(whole_seconds(state.saved_at));
  return out.key("version").integer(kVersion).end().take();
}

Result<DhtState> decode_dht_state(Octets text) {
  const BencodeLimits limits{
      .max_size = kMaxDhtStateSize, .max_items = kMaxDhtStateNodes + 16, .max_depth = 4};
  TRIBUTARY_TRY(document, decode_bencode(text, limits));
  const BencodeView root = document.root();
  const auto version = root.find("version").integer();
  if (!version) return invalid("no saved DHT state");
  if (*version != kVersion) {
    return Error{ErrorCode::kUnsupported,
                 "DHT state of version " + std::to_string(*version) + "; this build knows 1"};
  }
  const auto id = root.find("id").string();
  const auto saved = root.find("saved").integer();
  const BencodeView nodes = root.find("nodes");
  if (!id || id->size() != dht::NodeId::kSize || !saved || *saved < 0 || *saved > kMostSeconds ||
      !nodes.is_list()) {
    return invalid("DHT state without a node id, a time or nodes");
  }
  DhtState state{dht::NodeId::from(as_octets(*id)), seconds(*saved), {}};
  for (BencodeView node : nodes.children()) {
    const auto read = read_node(as_octets(node.string().value_or(std::string_view())));
    if (read && state.nodes.size() < kMaxDhtStateNodes) state.nodes.push_back(*read);
  }
  return state;
}

}  // namespace tributary::wire
