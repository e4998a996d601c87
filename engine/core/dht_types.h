// The mainline DHT's words as values: node ids, contacts, queries and answers (BEP 5, 32, 42, 43).
// Bytes are engine/wire/krpc.h's matter. What searches is dht_lookup.h; nothing here answers
// queries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/endpoint.h"

namespace tributary::core::dht {

// A node's name, and a point in the same space as info-hashes (BEP 5).
using NodeId = Digest<struct DhtNodeIdTag, 20>;

// k of Kademlia: nodes in a bucket and in an answer (BEP 5).
inline constexpr std::size_t kBucketSize = 8;
// Peers taken from one answer, and given in one; what fits a datagram of 1,500 bytes as IPv4.
inline constexpr std::size_t kMaxPeersInReply = 100;
// Bytes of a token. Nodes in use send 4 to 20.
inline constexpr std::size_t kMaxTokenSize = 64;
// Bytes of a transaction id. BEP 5 speaks of 2; whatever a query holds must be sent back.
inline constexpr std::size_t kMaxTransactionSize = 32;

struct Contact {
  NodeId id;
  Endpoint endpoint;
  friend auto operator<=>(const Contact&, const Contact&) = default;
};

enum class Method : std::uint8_t { kPing, kFindNode, kGetPeers, kAnnouncePeer };

struct Query {
  Method method = Method::kPing;
  NodeId id;                  // the asker's
  NodeId target;              // find_node's target, or the info-hash; zero in a ping
  std::string token;          // announce_peer only
  std::uint16_t port = 0;     // announce_peer only
  bool implied_port = false;  // announce_peer: the datagram's port counts instead
  bool want_v4 = false;       // BEP 32; neither: the family of the datagram
  bool want_v6 = false;
  bool read_only = false;  // BEP 43: do not put the asker into a routing table
  friend bool operator==(const Query&, const Query&) = default;
};

struct Reply {
  NodeId id;
  std::vector<Contact> nodes;   // at most kBucketSize of each family
  std::vector<Endpoint> peers;  // at most kMaxPeersInReply
  std::string token;            // empty: none
  friend bool operator==(const Reply&, const Reply&) = default;
};

// Codes of BEP 5.
inline constexpr std::int64_t kProtocolError = 203;

struct ErrorReply {
  std::int64_t code = kProtocolError;
  std::string message;
  friend bool operator==(const ErrorReply&, const ErrorReply&) = default;
};

struct Message {
  std::string transaction;
  std::variant<Query, Reply, ErrorReply> body;
  // In answers: the asker's address as the answering node sees it (BEP 42).
  std::optional<Endpoint> seen_as;
  friend bool operator==(const Message&, const Message&) = default;
};

}  // namespace tributary::core::dht
