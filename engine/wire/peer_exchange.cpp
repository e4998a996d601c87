#include <algorithm>

#include "engine/wire/address.h"
#include "engine/wire/bencode_encoder.h"
#include "engine/wire/peer_codec.h"

namespace tributary::wire {
namespace {

// Flags of BEP 11.
constexpr std::uint8_t kPrefersEncryption = 0x01;
constexpr std::uint8_t kUploadsOnly = 0x02;
constexpr std::uint8_t kSpeaksUtp = 0x04;
constexpr std::uint8_t kPunchesHoles = 0x08;
// Four lists of kMaxExchangedPeers and more fit.
constexpr std::size_t kMaxDictionary = 32U << 10;

// One family's addresses of a list, compact, and a byte of flags for each.
struct Family {
  OctetBuffer addresses;
  OctetBuffer flags;

  void add(const Endpoint& endpoint, std::uint8_t flag) {
    append_compact(addresses, endpoint);
    flags.push_back(flag);
  }
};

struct Families {
  Family v4;
  Family v6;
  void add(const Endpoint& endpoint, std::uint8_t flag = 0) {
    (endpoint.is_v4() ? v4 : v6).add(endpoint, flag);
  }
};

std::uint8_t flags_of(const core::PeerExchange::Added& peer) {
  std::uint8_t flags = 0;
  if (peer.prefers_encryption) flags |= kPrefersEncryption;
  if (peer.seed) flags |= kUploadsOnly;
  if (peer.utp) flags |= kSpeaksUtp;
  if (peer.hole_punch) flags |= kPunchesHoles;
  return flags;
}

core::PeerExchange::Added read_added(const Endpoint& endpoint, std::uint8_t flags) {
  return {.endpoint = endpoint,
          .seed = (flags & kUploadsOnly) != 0,
          .prefers_encryption = (flags & kPrefersEncryption) != 0,
          .utp = (flags & kSpeaksUtp) != 0,
          .hole_punch = (flags & kPunchesHoles) != 0};
}

template <class Take>
void each_address(BencodeView list, std::size_t size, Take take) {
  const Octets octets = as_octets(list.string().value_or(""));
  const std::size_t count = std::min(octets.size() / size, kMaxExchangedPeers);
  for (std::size_t i = 0; i < count; ++i) {
    const Endpoint endpoint = read_compact(octets.subspan(i * size, size));
    if (endpoint.port != 0) take(i, endpoint);
  }
}

}  // namespace

OctetBuffer encode_peer_exchange(const core::PeerExchange& message) {
  Families added;
  Families dropped;
  for (const auto& peer : message.added) added.add(peer.endpoint, flags_of(peer));
  for (const Endpoint& endpoint : message.dropped) dropped.add(endpoint);
  BencodeEncoder out;
  out.begin_dict();
  out.key("added").string(added.v4.addresses).key("added.f").string(added.v4.flags);
  out.key("added6").string(added.v6.addresses).key("added6.f").string(added.v6.flags);
  out.key("dropped").string(dropped.v4.addresses);
  out.key("dropped6").string(dropped.v6.addresses);
  return out.end().take();
}

Result<core::PeerExchange> decode_peer_exchange(Octets dictionary) {
  BencodeLimits limits;
  limits.max_size = kMaxDictionary;
  limits.max_items = 64;
  limits.max_depth = 4;
  auto document = decode_bencode(dictionary, limits);
  if (!document) return invalid("ut_pex: " + document.error().message);
  const BencodeView root = document->root();
  if (!root.is_dict()) return invalid("ut_pex: no dictionary");
  core::PeerExchange out;
  const auto add = [&](const char* name, const char* flags_name, std::size_t size) {
    const Octets flags = as_octets(root.find(flags_name).string().value_or(""));
    each_address(root.find(name), size, [&](std::size_t i, const Endpoint& endpoint) {
      out.added.push_back(read_added(endpoint, i < flags.size() ? flags[i] : std::uint8_t{0}));
    });
  };
  add("added", "added.f", kCompactV4Size);
  add("added6", "added6.f", kCompactV6Size);
  const auto drop = [&](const char* name, std::size_t size) {
    each_address(root.find(name), size,
                 [&](std::size_t, const Endpoint& endpoint) { out.dropped.push_back(endpoint); });
  };
  drop("dropped", kCompactV4Size);
  drop("dropped6", kCompactV6Size);
  return out;
}

}  // namespace tributary::wire
