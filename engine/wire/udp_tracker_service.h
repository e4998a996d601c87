// A tracker's side of UDP (BEP 15): datagrams in, answers out, over the memory that the HTTP side
// has too. A pure machine.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "engine/base/endpoint.h"
#include "engine/base/units.h"
#include "engine/wire/digester.h"
#include "engine/wire/tracker_state.h"
#include "engine/wire/udp_tracker.h"

namespace tributary::wire {

// Peers in one answer over IPv6, which must pass a link of 1,280 bytes whole (RFC 8200); of IPv4
// TrackerOptions::max_peers_per_answer fit a datagram that Ethernet carries.
inline constexpr std::size_t kMaxUdpV6Peers = 67;
inline constexpr std::size_t kMaxUdpV4Peers = 240;
// A connection id is good for two to three of these: trackers should take one for two minutes
// after it was sent (BEP 15).
inline constexpr Duration kUdpConnectionWindow = std::chrono::minutes(1);

// Nothing is kept for a connection: its id is a keyed digest of the client's address and the time.
// What comes without a good one gets an answer no longer than itself, so that a forged sender's
// address gains nothing.
class UdpTrackerService {
 public:
  using Key = std::array<std::uint8_t, 16>;

  // The key is secret and random. The state must outlive the service.
  UdpTrackerService(TrackerState& state, const Digester& digester, const Key& key);

  // The answer to a datagram, if it deserves one. Times must not run backwards.
  std::optional<OctetBuffer> handle(Octets datagram, const Endpoint& from, TimePoint now);

  std::int64_t announces() const { return announces_; }

 private:
  UdpTrackerAnswer answer(const UdpConnect& request, const Endpoint& from, TimePoint now);
  UdpTrackerAnswer answer(const UdpAnnounce& request, const Endpoint& from, TimePoint now);
  UdpTrackerAnswer answer(const UdpScrape& request, const Endpoint& from, TimePoint now);
  UdpConnectionId connection_id(const Endpoint& from, std::int64_t window) const;
  bool is_good(UdpConnectionId connection, const Endpoint& from, TimePoint now) const;

  TrackerState& state_;
  Digester digester_;
  Key key_;
  std::int64_t announces_ = 0;
};

}  // namespace tributary::wire
