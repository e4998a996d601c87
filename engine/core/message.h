// Peer messages as typed values (BEP 3, 5, 6, 9, 10, 11, 21, 52, 54, 55, and our own). Bytes are
// engine/wire's business; a payload is a handle.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/bitfield.h"
#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/core/ids.h"
#include "engine/core/layout.h"
#include "engine/core/need.h"

namespace tributary::core {

// Sent by both sides before any message (BEP 3, with the reserved bits of BEP 5, 6, 10 and 52).
struct Handshake {
  InfoHash info_hash;
  PeerId peer_id;
  bool fast = false;      // BEP 6
  bool extended = false;  // BEP 10
  bool v2 = false;        // BEP 52: "I can speak v2", offered in a v1 handshake of a hybrid
  bool dht = false;       // BEP 5: "I have a DHT node", and a Port may be sent to me
  friend bool operator==(const Handshake&, const Handshake&) = default;
};

struct KeepAlive {
  friend bool operator==(const KeepAlive&, const KeepAlive&) = default;
};
struct Choke {
  friend bool operator==(const Choke&, const Choke&) = default;
};
struct Unchoke {
  friend bool operator==(const Unchoke&, const Unchoke&) = default;
};
struct Interested {
  friend bool operator==(const Interested&, const Interested&) = default;
};
struct NotInterested {
  friend bool operator==(const NotInterested&, const NotInterested&) = default;
};
struct Have {
  PieceIndex piece;
  friend bool operator==(const Have&, const Have&) = default;
};
// As on the wire, spare bits included: the codec does not know the piece count. Checked by the
// core.
struct BitfieldMessage {
  std::vector<std::uint8_t> bytes;
  friend bool operator==(const BitfieldMessage&, const BitfieldMessage&) = default;
};
struct HaveAll {  // BEP 6
  friend bool operator==(const HaveAll&, const HaveAll&) = default;
};
struct HaveNone {  // BEP 6
  friend bool operator==(const HaveNone&, const HaveNone&) = default;
};
struct Request {
  BlockSpan span;
  friend bool operator==(const Request&, const Request&) = default;
};
struct Cancel {
  BlockSpan span;
  friend bool operator==(const Cancel&, const Cancel&) = default;
};
struct RejectRequest {  // BEP 6
  BlockSpan span;
  friend bool operator==(const RejectRequest&, const RejectRequest&) = default;
};
// Incoming: `buffer` holds the payload. Outgoing: the action SendBlock is used instead.
struct Piece {
  BlockSpan span;
  BufferId buffer;
  friend bool operator==(const Piece&, const Piece&) = default;
};
struct Port {  // BEP 5: the UDP port of the sender's DHT node
  std::uint16_t port = 0;
  friend bool operator==(const Port&, const Port&) = default;
};
struct SuggestPiece {  // BEP 6
  PieceIndex piece;
  friend bool operator==(const SuggestPiece&, const SuggestPiece&) = default;
};
struct AllowedFast {  // BEP 6
  PieceIndex piece;
  friend bool operator==(const AllowedFast&, const AllowedFast&) = default;
};
struct DontHave {  // BEP 54 (lt_donthave)
  PieceIndex piece;
  friend bool operator==(const DontHave&, const DontHave&) = default;
};
// BEP 52: hashes [index, index + length) of the layer `base_layer` (0 = leaves) of one file, with
// `proof_layers` layers of uncles above them.
struct HashSpan {
  Sha256 pieces_root;
  std::uint32_t base_layer = 0;
  std::uint32_t index = 0;
  std::uint32_t length = 0;
  std::uint32_t proof_layers = 0;
  friend auto operator<=>(const HashSpan&, const HashSpan&) = default;
};
struct HashRequest {
  HashSpan span;
  friend bool operator==(const HashRequest&, const HashRequest&) = default;
};
struct Hashes {
  HashSpan span;
  std::vector<Sha256> hashes;  // the requested hashes, then the uncles from low to high
  friend bool operator==(const Hashes&, const Hashes&) = default;
};
struct HashReject {
  HashSpan span;
  friend bool operator==(const HashReject&, const HashReject&) = default;
};
// BEP 10. Absent keys are nullopt; unknown keys are dropped by the codec.
struct ExtendedHandshake {
  std::string client;                         // "v"
  std::optional<std::int32_t> request_queue;  // "reqq": requests it accepts at once
  std::optional<bool> upload_only;            // BEP 21
  std::optional<std::uint16_t> listen_port;   // "p"
  std::optional<Endpoint> your_ip;            // "yourip"; the port is zero
  bool dont_have = false;                     // "m" has lt_donthave
  bool peer_exchange = false;                 // "m" has ut_pex
  bool metadata = false;                      // "m" has ut_metadata (BEP 9)
  bool hole_punch = false;                    // "m" has ut_holepunch (BEP 55)
  std::optional<Bytes> metadata_size;         // of the info dictionary, where it is there
  bool tributary = false;  // "m" has tributary: the peer shares the CDN's load (seed-swarm rule)
  bool need = false;       // "m" has tributary_need: the peer serves by need, and wants to hear it
  bool overlay = false;    // "m" has tributary_query: the peer takes part in the overlay
  friend bool operator==(const ExtendedHandshake&, const ExtendedHandshake&) = default;
};

// BEP 11 (ut_pex): who else is in the swarm, as a change since the last message.
struct PeerExchange {
  struct Added {
    Endpoint endpoint;
    bool seed = false;                // flag 0x02: it uploads only
    bool prefers_encryption = false;  // 0x01
    bool utp = false;                 // 0x04: it speaks uTP
    bool hole_punch = false;          // 0x08: it understands BEP 55
    friend bool operator==(const Added&, const Added&) = default;
  };
  std::vector<Added> added;
  std::vector<Endpoint> dropped;
  friend bool operator==(const PeerExchange&, const PeerExchange&) = default;
};

// BEP 9 (ut_metadata): the info dictionary in pieces of kMetadataPieceSize, numbered from 0.
inline constexpr Bytes kMetadataPieceSize = 16_KiB;
struct MetadataRequest {
  std::int32_t piece = 0;  // >= 0
  friend bool operator==(const MetadataRequest&, const MetadataRequest&) = default;
};
struct MetadataData {
  std::int32_t piece = 0;  // >= 0
  Bytes total_size;        // of the dictionary, by the sender's word
  std::vector<std::uint8_t> bytes;
  friend bool operator==(const MetadataData&, const MetadataData&) = default;
};
struct MetadataReject {
  std::int32_t piece = 0;  // >= 0
  friend bool operator==(const MetadataReject&, const MetadataReject&) = default;
};

// tributary_need: what the sender needs our blocks for, from now on.
struct NeedMessage {
  Need need = Need::kStoring;
  friend bool operator==(const NeedMessage&, const NeedMessage&) = default;
};

// BEP 55 (ut_holepunch). kRendezvous: the sender wants to be introduced to who is at `peer`.
// kConnect: dial `peer` by uTP now, as it dials you. kError: why nobody was introduced to `peer`.
struct HolePunch {
  enum class Kind : std::uint8_t { kRendezvous = 0, kConnect = 1, kError = 2 };
  // Of a kError, by the wire's numbers; any other number is possible.
  enum class Reason : std::uint32_t {
    kNone = 0,
    kNoSuchPeer = 1,    // nobody can be there
    kNotConnected = 2,  // the relay is not connected to it
    kNoSupport = 3,     // it does not understand BEP 55
    kNoSelf = 4,        // it is the relay, or who asks
  };
  Kind kind{};
  Endpoint peer;
  Reason reason = Reason::kNone;
  friend bool operator==(const HolePunch&, const HolePunch&) = default;
};

// tributary_query: who has this torrent? Passed on by peers while hops are left; see overlay.h.
inline constexpr std::uint8_t kOverlayHops = 2;  // Spotify's distance
// Addresses in one answer: what fits a packet, and twice what Spotify's tracker names of a track.
inline constexpr std::size_t kMaxOverlayPeers = 20;
struct OverlayQuery {
  QueryId id;
  InfoHash sought;
  std::uint8_t hops = kOverlayHops;  // 1 … kOverlayHops: so many connections it may still go over
  friend bool operator==(const OverlayQuery&, const OverlayQuery&) = default;
};
// Goes back the way the query came.
struct OverlayAnswer {
  QueryId id;
  bool self = false;            // the sender itself has it, where it told us that it listens
  std::vector<Endpoint> peers;  // and these do, at most kMaxOverlayPeers
  friend bool operator==(const OverlayAnswer&, const OverlayAnswer&) = default;
};

using Message =
    std::variant<KeepAlive, Choke, Unchoke, Interested, NotInterested, Have, BitfieldMessage,
                 HaveAll, HaveNone, Request, Cancel, RejectRequest, Piece, SuggestPiece,
                 AllowedFast, DontHave, HashRequest, Hashes, HashReject, ExtendedHandshake,
                 PeerExchange, Port, MetadataRequest, MetadataData, MetadataReject, NeedMessage,
                 HolePunch, OverlayQuery, OverlayAnswer>;

}  // namespace tributary::core
