// HTTP trackers as a client sees them: announce and scrape (BEP 3, 7, 23, 24, 48). The requests
// themselves are made by engine/net.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/core/events.h"
#include "engine/wire/octets.h"
#include "engine/wire/peer_list.h"
#include "engine/wire/swarm_counts.h"

namespace tributary::wire {

// Bytes of a tracker's answer. kMaxPeersPerAnswer peers in the wordy model take about 100 KiB.
inline constexpr std::size_t kMaxTrackerAnswer = 1U << 20;
// A tracker that asks for announces more often than this gets them this often, and one that wants
// to hear nothing for days is asked daily.
inline constexpr Duration kMinAnnounceInterval = 5s;
inline constexpr Duration kMaxAnnounceInterval = std::chrono::hours(24);
// When a tracker names none.
inline constexpr Duration kDefaultAnnounceInterval = std::chrono::minutes(30);
// What a tracker names, in seconds, brought within the two bounds.
Duration bounded_announce_interval(std::int64_t seconds);
// Hashes in one scrape; with 74 the URL stays under 8 KiB.
inline constexpr std::size_t kMaxScrapeHashes = 74;

struct AnnounceRequest {
  std::string tracker;  // the announce URL
  InfoHash info_hash;
  PeerId peer_id;
  std::uint16_t port = 0;
  Bytes uploaded;
  Bytes downloaded;
  Bytes left;
  core::AnnounceEvent event = core::AnnounceEvent::kNone;
  std::int32_t want = 50;  // peers
  std::uint32_t key = 0;   // names the client across a change of address; 0: sent all the same
  std::string tracker_id;  // as the tracker gave it, or empty
};

// The URL to get. A query that the tracker's URL has already is kept, a fragment dropped.
std::string announce_url(const AnnounceRequest& request);
// By BEP 48: "announce" in the last path segment becomes "scrape". An error when it is not there.
// REQUIRES: 1 to kMaxScrapeHashes hashes.
Result<std::string> scrape_url(std::string_view tracker, std::span<const InfoHash> hashes);

struct AnnounceAnswer {
  std::vector<Endpoint> peers;  // no port 0, no doubles
  Duration interval{};          // within kMinAnnounceInterval and kMaxAnnounceInterval
  Duration min_interval{};      // the same, at most `interval`; zero: it named none
  std::optional<std::int64_t> seeds;
  std::optional<std::int64_t> leechers;
  std::string warning;                  // for the log; empty: none
  std::string tracker_id;               // to be sent back; empty: none
  std::optional<Endpoint> own_address;  // ours, as the tracker sees it; the port is 0 (BEP 24)
};
// An error for a malformed answer, and for a "failure reason": "tracker refuses: …".
Result<AnnounceAnswer> decode_announce_answer(Octets body);

// The counts of each hash that was asked for, in that order; none for one that is not listed, which
// is how a tracker says that it knows nobody (BEP 48). What else it lists, as some list all that
// they have, is passed over. Errors as above.
Result<std::vector<SwarmCounts>> decode_scrape_answer(Octets body, std::span<const InfoHash> asked);

}  // namespace tributary::wire
