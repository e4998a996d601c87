// Local service discovery (BEP 14): who has which torrent, told to all on the local network.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/wire/address.h"
#include "engine/wire/octets.h"

namespace tributary::wire {

// The groups and the port that BEP 14 names.
inline constexpr std::uint16_t kLocalDiscoveryPort = 6771;
Endpoint local_discovery_group(AddressFamily family, std::uint16_t port = kLocalDiscoveryPort);

// BEP 14's limit, which keeps a datagram whole on all networks.
inline constexpr std::size_t kMaxLocalAnnouncement = 1400;
// Info-hashes that fit in.
inline constexpr std::size_t kMaxLocalHashes = 24;
// An opaque word by which a client knows its own messages; longer ones are cut.
inline constexpr std::size_t kMaxLocalCookie = 32;

struct LocalAnnouncement {
  std::uint16_t port = 0;  // where the sender accepts peers
  std::vector<InfoHash> torrents;
  std::string cookie;  // may be empty
  friend bool operator==(const LocalAnnouncement&, const LocalAnnouncement&) = default;
};

// The datagram for one group. REQUIRES: 1 to kMaxLocalHashes torrents; a cookie of printable
// characters, of at most kMaxLocalCookie.
std::string encode_local_announcement(const LocalAnnouncement& announcement, const Endpoint& group);
// Headers that are not known are ignored, as BEP 14 asks, and so are info-hashes that are none or
// too many. Errors: not an announcement, too long, no port, no info-hash.
Result<LocalAnnouncement> decode_local_announcement(Octets datagram);

// When to tell what, and what to believe. Tracks the torrents that wait to be announced and how
// much was heard lately. Deterministic; the host sends and receives.
class LocalDiscovery {
 public:
  // BEP 14: no more than one announcement a minute, so that large networks bear it. What comes up
  // meanwhile goes out together.
  static constexpr Duration kPause = std::chrono::minutes(1);
  // Torrents waiting; with what fits in a message a minute, all that a listener opens in ten.
  static constexpr std::size_t kMaxWaiting = 240;
  // Pairs of torrent and peer taken in any second, so that a flood costs no more than its reading:
  // a network of thousands with our torrents stays below.
  static constexpr std::int32_t kHeardPerSecond = 20;

  // `cookie` is one that nobody else has.
  LocalDiscovery(std::uint16_t port, std::string cookie)
      : port_(port), cookie_(std::move(cookie)) {}

  // Soon. A torrent that waits already waits on.
  void announce(const InfoHash& torrent);
  // What to send to all groups now.
  std::optional<LocalAnnouncement> poll(TimePoint now);
  TimePoint next_deadline() const { return waiting_.empty() ? kNever : may_send_at_; }

  struct Heard {
    InfoHash torrent;
    Endpoint peer;
    friend bool operator==(const Heard&, const Heard&) = default;
  };
  // Who has what, by a datagram from `sender`. Nothing of our own, of what is malformed, and of
  // what exceeds the limits.
  std::vector<Heard> hear(Octets datagram, const Endpoint& sender, TimePoint now);

 private:
  const std::uint16_t port_;
  const std::string cookie_;
  std::deque<InfoHash> waiting_;
  TimePoint may_send_at_{};
  std::int64_t second_ = 0;  // in which `heard_` were counted
  std::int32_t heard_ = 0;
};

}  // namespace tributary::wire
