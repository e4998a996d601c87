// When the next track is fetched ahead, from whom, and how much of it.
#pragma once

#include "engine/base/units.h"
#include "engine/core/byte_time_map.h"

namespace tributary::prefetch {

// The rules as data. Times are media time left of the current track.
struct PrefetchParams {
  Duration find_peers_at;  // from here on: look for peers and fetch from them
  Duration server_at;      // from here on: the server brings what is missing of the head
  Duration head;           // media to secure, so that the next track starts at once
  Bytes budget;            // at most so much of a track before it is played: a skip wastes it all
  bool early = false;      // begin as soon as the current track is wholly downloaded
  bool head_only = false;  // and that from server_at on: each byte costs the listener
  Bytes blind_head = 512_KiB;  // the head when the media's rate is unknown: 16 s at 256 kbit/s
};

// Spotify's: 30 s and 10 s (Kreitz & Niemelä 2010); the head is what it asks of the server at a
// random-access start, 15 s.
inline constexpr PrefetchParams kSpotifyPrefetch = {30s, 10s, 15s, 32_MiB, false};
// Peers get all the time there is once the current track is complete; the server brings only what
// a start needs: 5 s of media last until it or the peers bring more.
inline constexpr PrefetchParams kAdaptivePrefetch = {30s, 8s, 5s, 32_MiB, true};

struct PrefetchSnapshot {
  TimePoint now;
  Duration left{};                // media time left of the current track
  bool paused = false;            // the playhead stands
  bool current_safe = false;      // what is left of the current track will not stall for our sake
  bool current_complete = false;  // the current track is wholly downloaded
  bool next_known = false;        // false after a skip too, until the new next one is known
  Bytes head_size;                // of the next track, from head_bytes()
  Bytes head_missing;             // of those; zero: secured
};

enum class PrefetchStage {
  kIdle,    // no demand for the next track; what was asked for it is cancelled
  kPeers,   // from peers only
  kServer,  // from peers and the server, the head only
};

struct PrefetchPlan {
  PrefetchStage stage = PrefetchStage::kIdle;
  Bytes budget;                    // of the next track from its start on; zero when idle
  TimePoint next_change = kNever;  // plan again then, if nothing in the snapshot changes before
  friend bool operator==(const PrefetchPlan&, const PrefetchPlan&) = default;
};

// Rules, first match wins: nothing before the current track is safe (librespot's rule: prefetch
// never competes with playback) nor without a next track; the server only for a head that is not
// secured, while the playhead moves; with `head_only` nothing else; otherwise
// peers from find_peers_at on, or earlier with `early`. Plan again whenever the snapshot changes.
PrefetchPlan plan_prefetch(const PrefetchParams& params, const PrefetchSnapshot& snapshot);

// The bytes of a track's first `params.head` of media, within its size and the budget.
Bytes head_bytes(const PrefetchParams& params, const core::ByteTimeMap& map);

}  // namespace tributary::prefetch
