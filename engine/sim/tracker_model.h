// A modelled tracker: who is in which swarm, and a random sample of them for each announce (BEP 3).
// As wire/tracker_state.h names them: to a seed, once it has begun, those who still lack something.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/slot_map.h"
#include "engine/core/events.h"
#include "engine/sim/event_queue.h"

namespace tributary::sim {

struct TrackerParams {
  Duration round_trips = 60ms;  // connection and request together
  Duration interval = 1800s;    // as most public trackers ask for
  Duration min_interval = 60s;
  std::int32_t most_peers = 50;
};

class TrackerHandler {
 public:
  virtual ~TrackerHandler() = default;
  virtual void tracker_input(HostId host, const core::Input& input) = 0;
};

// Tracks: the members of each swarm in order of arrival, and announces under way. A crashed host
// stays listed, as with a real tracker, until `forget`.
class TrackerModel {
 public:
  TrackerModel(EventQueue& queue, TrackerHandler& handler, TrackerParams params, std::uint64_t seed)
      : queue_(queue), handler_(handler), params_(params), random_(seed) {}

  // Announces of a torrent by different hosts meet when their TorrentIds are equal.
  void announce(HostId host, const Endpoint& endpoint, const core::Announce& action);
  void forget(HostId host);
  void set_down(bool down) { down_ = down; }
  // Announces of this torrent are answered so much later.
  void set_delay(core::TorrentId torrent, Duration delay);
  std::int64_t announces() const { return announces_; }
  std::size_t members(core::TorrentId torrent) const;

  void on_event(const Event& event);

 private:
  struct Member {
    HostId host;
    Endpoint endpoint;
    bool seed = false;
  };
  struct PendingTag;
  struct Pending {
    HostId host;
    core::TorrentId torrent;
    std::string tracker;
    std::int32_t want = 0;
    bool failed = false;
    bool stopped = false;
    bool leeches = false;
  };
  std::vector<Member>& swarm(core::TorrentId torrent);
  Duration answer_time(core::TorrentId torrent) const;
  std::vector<Endpoint> sample(const Pending& pending);
  bool only_seeds(core::TorrentId torrent);

  EventQueue& queue_;
  TrackerHandler& handler_;
  TrackerParams params_;
  Random random_;
  std::vector<std::vector<Member>> swarms_;  // by TorrentId
  std::vector<Duration> delays_;             // by TorrentId, of the first so many
  SlotMap<PendingTag, Pending> pending_;
  bool down_ = false;
  std::int64_t announces_ = 0;
};

}  // namespace tributary::sim
