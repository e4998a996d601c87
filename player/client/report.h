// What a playback session came to: the figures of `tributary play --report`.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "engine/base/units.h"
#include "engine/core/ledger.h"

namespace tributary::player {

// One track, or the whole session. Invariant of the bytes once nothing is in flight:
// cdn + peers + cache = played + duplicate + corrupt + unused.
struct ReportEntry {
  std::string title;
  Duration startup{};  // request to first decoded frame; the sum over tracks in the total
  bool started = false;
  Duration played{};
  std::int64_t stalls = 0;
  Duration stalled{};
  Duration gap{};          // silence before it, when it followed another track by itself
  core::ByteCounts bytes;  // cache: those of its blocks that were read
  Bytes played_bytes;      // of blocks that the demuxer read at least once
  Bytes unused;            // verified, never read

  // Stalled / (stalled + played), 0 … 1.
  double rebuffering_ratio() const {
    const Duration all = stalled + played;
    return all <= Duration::zero()
               ? 0.0
               : static_cast<double>(stalled.count()) / static_cast<double>(all.count());
  }
  // Peer bytes / (peer + CDN bytes), 0 … 1; 0 when nothing crossed the network.
  double offload_ratio() const {
    const Bytes all = bytes.peers + bytes.cdn();
    return all <= 0_B ? 0.0
                      : static_cast<double>(bytes.peers.count()) / static_cast<double>(all.count());
  }
};

// A peer that is connected when the report is written.
struct ReportPeer {
  std::string address;
  std::string client;
  std::string flags;  // core::kPeerFlags
  Bytes received;
  Bytes sent;
};

struct Report {
  std::string policy;
  ReportEntry total;
  std::vector<ReportEntry> tracks;
  std::string unchoker{};
  std::vector<ReportPeer> peers{};
};

// The documented JSON (player/client/report.md), indented, with a final newline.
std::string to_json(const Report& report);

}  // namespace tributary::player
