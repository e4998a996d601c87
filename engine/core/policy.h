// Source policy as data: every threshold of the scheduler has a name, a unit, a default and a
// reason. The four named sets are `adaptive`, `spotify`, `cdn_only` and `peers_only`.
#pragma once

#include <optional>
#include <string_view>

#include "engine/base/units.h"
#include "engine/core/unchoker.h"

namespace tributary::core {

struct Policy {
  std::string_view name = "adaptive";
  bool use_cdn = true;
  bool use_peers = true;

  // --- the head of a track ---
  // Media asked of the server at once on a random-access start. Adaptive takes what the demuxer and
  // the first instants of playback need; Spotify takes 15 s (Kreitz & Niemelä 2010).
  Duration head = 2s;
  // Until a timeline is known, this many bytes stand for the head.
  Bytes head_bytes_unknown = 64_KiB;
  // While the head is on its way from the server nothing else is asked of peers, so that slow peers
  // cannot delay a start by sharing the access link.
  bool peers_wait_for_head = true;

  // --- the CDN's last safe moment: deadline - first byte - transfer - margin ---
  // Margin for a block that some connected peer has.
  Duration margin = 1500ms;
  // A block in flight from a peer that is still expected in time is left to it until this late.
  Duration hedge_margin = 500ms;
  // A block that no connected peer has: asked for when the buffer falls to `low`, up to `high`, so
  // that requests are few and large.
  Duration no_peer_low = 4s;
  Duration no_peer_high = 8s;
  // The same when the client is alone in the swarm: waiting can gain nothing.
  Duration alone_low = 10s;
  Duration alone_high = 20s;
  // Neighbouring blocks that become urgent within this time join one request.
  Duration coalesce = 1s;
  Bytes max_request = 1_MiB;
  // The server never works further ahead than this where peers exist (Spotify: 15 s).
  std::optional<Duration> server_throttle;

  // --- cold swarm: one copy from the server for all (anti-stampede) ---
  bool seed_swarm = true;
  Duration seed_from = 4s;    // nearer blocks are no_peer's business
  Duration seed_until = 40s;  // as far ahead as a copy has time to spread

  // --- peers ---
  // Blocks due within this time are taken in order by the peer that finishes first; beyond it,
  // rarest first.
  Duration urgent_window = 12s;
  bool in_order = false;  // beyond the urgent window too (Spotify)
  // Requests in flight to one peer: bandwidth x delay, at least `min_depth` blocks, at most
  // `max_depth_time` of its measured rate.
  std::int32_t min_depth = 5;
  Duration max_depth_time = 2s;
  // Taken for a peer of which nothing was measured yet.
  BitRate assumed_peer_rate = 500_kbps;
  // At most so much of the bytes received may be duplicates of hedged blocks, in percent.
  std::int32_t duplicate_percent = 5;
  // Unrequested blocks are never asked of the swarm beyond this ahead; none: the whole track.
  std::optional<Duration> peer_horizon;

  // --- whom we upload to ---
  Unchoker unchoker = Unchoker::kTitForTat;

  // --- emergency: stop uploading ---
  Duration emergency_buffer = 3s;
  // Adaptive keeps uploading through a thin buffer that the CDN still insures: a client that plays
  // at the swarm's frontier always has one, and it is the only source of what it just fetched.
  bool emergency_only_when_late = true;

  // --- prefetch of the next track ---
  Duration prefetch_peers_at = 30s;
  Duration prefetch_server_at = 10s;
  Duration prefetch_head = 10s;  // what must be there when the current track ends
  Bytes prefetch_budget = 32_MiB;
  bool prefetch_early = true;       // from peers as soon as the current track is whole
  bool prefetch_head_only = false;  // at prefetch_server_at, from whomever

  // The same on a link where each byte costs: little is fetched that may never be heard. That
  // nothing is uploaded is the host's to say.
  Policy metered() const;

  static Policy adaptive() { return {}; }
  static Policy spotify();
  static Policy cdn_only();
  static Policy peers_only();
  // By name, with '-' for '_': nothing for an unknown one.
  static std::optional<Policy> by_name(std::string_view name);
};

}  // namespace tributary::core
