// A tracker's memory and answers (BEP 3, 7, 23, 24, 48), as a pure machine: queries and times in,
// response bodies out.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "engine/base/digest.h"
#include "engine/base/endpoint.h"
#include "engine/base/random.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/core/events.h"
#include "engine/wire/address.h"
#include "engine/wire/octets.h"
#include "engine/wire/swarm_counts.h"

namespace tributary::wire {

// Bytes of a query string; a scrape of kMaxScrapeHashes fits.
inline constexpr std::size_t kMaxTrackerQuery = 8192;

struct AnnounceQuery {
  InfoHash info_hash;
  PeerId peer_id;
  std::uint16_t port = 0;  // 0: cannot be dialled
  Bytes uploaded;
  Bytes downloaded;
  Bytes left;
  core::AnnounceEvent event = core::AnnounceEvent::kNone;
  std::int32_t want = 50;
  bool compact = true;
  bool no_peer_id = false;
  friend bool operator==(const AnnounceQuery&, const AnnounceQuery&) = default;
};
// What stands after '?' of an announce. info_hash, peer_id and port are needed; "ip" is ignored,
// for anybody could send peers to a stranger with it. Of a key that comes twice the first counts.
Result<AnnounceQuery> parse_announce_query(std::string_view query);
// The hashes of a scrape, at most kMaxScrapeHashes.
Result<std::vector<InfoHash>> parse_scrape_query(std::string_view query);

// The dictionary {"failure reason": reason}.
OctetBuffer encode_tracker_failure(std::string_view reason);

struct TrackerOptions {
  Duration interval = std::chrono::minutes(30);  // told to peers
  Duration min_interval = std::chrono::minutes(1);
  // A peer that was not heard of for so long is gone. Above twice the interval, so that one lost
  // announce does no harm.
  Duration peer_lifetime = std::chrono::minutes(65);
  std::int32_t max_peers_per_answer = 200;  // 1.2 kB (v4) fits the first TCP window
  // Memory: about 300 bytes a peer and 200 a swarm. Beyond it new ones are answered, not kept.
  std::size_t max_peers = 200'000;
  std::size_t max_swarms = 50'000;
};

struct TrackedPeer {
  Endpoint endpoint;
  PeerId id;
};

// What an announce is answered, whatever the protocol.
struct TrackerAnswer {
  SwarmCounts counts;
  Duration interval{};
  Duration min_interval{};
  std::vector<TrackedPeer> peers;
};

// Not thread-safe. Same options, seed and calls: same answers.
// Tracks: swarms by info-hash (the two hashes of a hybrid are two swarms); peers by endpoint, the
// remote address with the announced port, all of them in the order in which they expire.
// Invariant: a peer of `peers_` is once in its swarm's map, and once in its list, at `position`.
class TrackerState {
 public:
  TrackerState(const TrackerOptions& options, std::uint64_t seed);

  // Lists the peer of an announce from `remote`, whose port is of no interest, and draws others for
  // it: of one family only where `only` names it. Times must not run backwards, here and below.
  TrackerAnswer announce(const AnnounceQuery& query, const Endpoint& remote, TimePoint now,
                         std::optional<AddressFamily> only = {});
  // The same as the response body for the query of an HTTP announce.
  OctetBuffer handle_announce(std::string_view query, const Endpoint& remote, TimePoint now);
  OctetBuffer handle_scrape(std::string_view query, TimePoint now);
  // Forgets the peers that fell silent. The calls above do so first.
  void expire(TimePoint now);

  std::size_t peer_count() const { return peers_.size(); }
  std::size_t swarm_count() const { return swarms_.size(); }
  SwarmCounts counts(const InfoHash& info_hash) const;

 private:
  struct Swarm;
  struct Peer {
    Swarm* swarm = nullptr;
    Endpoint endpoint;
    PeerId id;
    bool seed = false;
    TimePoint expires_at;
    std::size_t position = 0;  // in Swarm::list
  };
  using Peers = std::list<Peer>;
  struct Swarm {
    explicit Swarm(const InfoHash& hash) : info_hash(hash) {}

    InfoHash info_hash;
    std::map<Endpoint, Peers::iterator> by_endpoint;
    std::vector<Peers::iterator> list;
    std::int64_t seeds = 0;
    std::int64_t downloaded = 0;
  };

  static SwarmCounts counts_of(const Swarm& swarm);
  // The swarm after the announce; none where there is none and no room for one.
  Swarm* update(const AnnounceQuery& query, const Endpoint& who, TimePoint now);
  Swarm* add_swarm(const InfoHash& info_hash);
  void add(Swarm& swarm, const AnnounceQuery& query, const Endpoint& who, TimePoint now);
  void refresh(Peers::iterator peer, const AnnounceQuery& query, TimePoint now);
  void remove(Peers::iterator peer);
  std::vector<TrackedPeer> draw(const Swarm& swarm, const AnnounceQuery& query, const Endpoint& who,
                                std::optional<AddressFamily> only);

  TrackerOptions options_;
  Random random_;
  std::map<InfoHash, Swarm> swarms_;
  std::set<InfoHash> idle_;  // swarms without peers, kept for their download counts
  Peers peers_;              // who was heard of last at the end
};

}  // namespace tributary::wire
