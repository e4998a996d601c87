// What `play` shows of a session: the library's snapshots and reports in strong units, as values.
#pragma once

#include <string>
#include <tributary/tributary.hpp>
#include <vector>

#include "engine/base/units.h"

namespace tributary::demo {

struct SourceBytes {
  Bytes cdn;
  Bytes peers;
  Bytes cache;
  Bytes uploaded;

  Bytes received() const { return cdn + peers; }
  // Peers' share of what was received, 0 … 1; 0 when nothing was.
  double offload() const;
};

struct PeerFigures {
  std::string address;
  std::string client;
  std::string flags;
  BitRate down;
  BitRate up;
  Bytes received;
};

struct EdgeFigures {
  std::string origin;
  tributary_edge_state state = TRIBUTARY_EDGE_UP;
  std::int64_t requests = 0;
  std::int64_t failures = 0;
  Duration first_byte{};
  BitRate rate;
  std::int32_t lies = 0;
};

// See tributary_status.
struct PlaySnapshot {
  tributary_state state = TRIBUTARY_STATE_LOADING;
  std::size_t track = 0;
  std::size_t tracks = 0;
  std::string title;
  Duration position{};
  Duration duration{};
  Duration buffered{};
  SourceBytes bytes;
  std::vector<PeerFigures> peers;
  std::vector<EdgeFigures> edges;
  std::vector<tributary_piece_state> pieces;
  std::size_t playhead_piece = 0;
  std::string next_title;
  tributary_prefetch_stage prefetch = TRIBUTARY_PREFETCH_IDLE;
  Bytes next_have;
  Bytes next_size;
  std::int64_t stalls = 0;
  Duration startup{};
  bool emergency = false;
  std::string message;
  std::string policy;
};
PlaySnapshot figures_of(const api::Snapshot& snapshot);

// See tributary_entry.
struct TrackFigures {
  std::string title;
  bool started = false;
  Duration startup{};
  Duration played{};
  std::int64_t stalls = 0;
  Duration stalled{};
  Duration gap{};
  SourceBytes bytes;
};
struct PlayFigures {
  TrackFigures total;
  std::vector<TrackFigures> tracks;
};
PlayFigures figures_of(const api::Report& report);

}  // namespace tributary::demo
