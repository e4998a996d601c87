// UDP trackers' datagrams (BEP 15, BEP 41), both directions. IPv6 differs in the size of a peer:
// an answer over IPv6 lists IPv6 peers of 18 bytes. Who sends what when is the matter of
// udp_tracker_session.h (client) and udp_tracker_service.h (server).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/strong.h"
#include "engine/base/units.h"
#include "engine/wire/address.h"
#include "engine/wire/octets.h"
#include "engine/wire/tracker_state.h"

namespace tributary::wire {

// Pairs an answer with its request. Unguessable, so that nobody off the path can forge an answer.
using UdpTransactionId = Id<struct UdpTransactionIdTag, std::uint32_t>;
// Proves to the tracker that the client receives what is sent to its address.
using UdpConnectionId = Id<struct UdpConnectionIdTag, std::uint64_t>;

// Bytes of path and query sent along (BEP 41); more would not fit an unfragmented datagram.
inline constexpr std::size_t kMaxUdpUrlData = 1020;
// Bytes of any request: announce, options and all. Longer ones are not read.
inline constexpr std::size_t kMaxUdpRequest = 2048;
// Bytes of any answer that is used: 1,360 peers of IPv4, where 50 are asked for.
inline constexpr std::size_t kMaxUdpAnswer = 8192;

struct UdpTrackerUrl {
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 0;
  std::string url_data;  // path and query, "/announce?key=1"; may be empty
  friend bool operator==(const UdpTrackerUrl&, const UdpTrackerUrl&) = default;
};
// Whether the scheme is udp, in whatever case.
bool is_udp_url(std::string_view url);
// "udp://host:port/path?query", of which host and port are needed; a fragment is dropped.
Result<UdpTrackerUrl> parse_udp_tracker(std::string_view url);

// --- Requests

struct UdpConnect {
  UdpTransactionId transaction;
  friend bool operator==(const UdpConnect&, const UdpConnect&) = default;
};
struct UdpAnnounce {
  UdpConnectionId connection;
  UdpTransactionId transaction;
  AnnounceQuery query;    // `compact` and `no_peer_id` mean nothing here
  std::uint32_t key = 0;  // names the client across a change of address
  std::string url_data;   // at most kMaxUdpUrlData
  friend bool operator==(const UdpAnnounce&, const UdpAnnounce&) = default;
};
struct UdpScrape {
  UdpConnectionId connection;
  UdpTransactionId transaction;
  std::vector<InfoHash> hashes;  // 1 to kMaxScrapeHashes
  friend bool operator==(const UdpScrape&, const UdpScrape&) = default;
};
using UdpTrackerRequest = std::variant<UdpConnect, UdpAnnounce, UdpScrape>;

// REQUIRES: the limits noted above.
OctetBuffer encode_udp_request(const UdpTrackerRequest& request);
// The address that an announce may name is ignored: with it anybody could send peers to a stranger.
// Options (BEP 41) that make no sense end the reading of options, nothing more: there are clients
// that append other things.
Result<UdpTrackerRequest> decode_udp_request(Octets datagram);

// --- Answers

struct UdpConnected {
  UdpTransactionId transaction;
  UdpConnectionId connection;
  friend bool operator==(const UdpConnected&, const UdpConnected&) = default;
};
struct UdpAnnounced {
  UdpTransactionId transaction;
  Duration interval{};  // decoded: within kMinAnnounceInterval and kMaxAnnounceInterval
  std::int64_t leechers = 0;
  std::int64_t seeds = 0;
  std::vector<Endpoint> peers;  // decoded: as PeerList leaves them
  friend bool operator==(const UdpAnnounced&, const UdpAnnounced&) = default;
};
struct UdpScraped {
  UdpTransactionId transaction;
  std::vector<SwarmCounts> counts;  // in the order of the request; at most kMaxScrapeHashes
  friend bool operator==(const UdpScraped&, const UdpScraped&) = default;
};
struct UdpRefused {
  UdpTransactionId transaction;
  std::string reason;  // decoded: printable()
  friend bool operator==(const UdpRefused&, const UdpRefused&) = default;
};
using UdpTrackerAnswer = std::variant<UdpConnected, UdpAnnounced, UdpScraped, UdpRefused>;

// REQUIRES: announced peers are of `family`.
OctetBuffer encode_udp_answer(const UdpTrackerAnswer& answer, AddressFamily family);
Result<UdpTrackerAnswer> decode_udp_answer(Octets datagram, AddressFamily family);

// What decode_udp_answer's result is or would be about; nothing when the datagram is too short.
std::optional<UdpTransactionId> transaction_of_udp_answer(Octets datagram);

}  // namespace tributary::wire
