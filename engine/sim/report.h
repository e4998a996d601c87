// What a simulated run came to, per listener and in all; the world's meters and the nodes' own
// ledgers side by side.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/ledger.h"
#include "engine/sim/world.h"

namespace tributary::sim {

struct ListenerReport {
  HostId host;
  std::vector<Play> plays;
  bool done = false;
  HostMeter meter;
  core::ByteCounts ledger;  // over all its tracks
};

struct ScenarioReport {
  std::string name;
  std::uint64_t seed = 0;
  std::vector<ListenerReport> listeners;
  EgressMeter cdn;
  Bytes from_peers;  // payload that listeners received
  Bytes from_cdn;
  core::ByteCounts ledger;  // of all listeners
  std::int32_t stalls = 0;
  Duration stalled{};
  Duration heard{};
  std::int32_t unfinished = 0;     // listeners that stayed and are not done
  std::vector<Duration> startups;  // ascending; first starts, hand-overs not among them
  std::vector<Duration> seek_waits;
  std::vector<Duration> gaps;
  std::vector<Lie> lies;  // wrong bytes between nodes, of all
  std::uint64_t digest = 0;
  std::uint64_t events = 0;

  // Peer bytes / (peer bytes + CDN bytes), in tenths of a percent; zero without bytes.
  std::int32_t offload_permille() const;
  // The q-th percentile of startups; zero without any. REQUIRES: 0 <= q <= 100.
  Duration startup(int q) const;
  // One line of figures.
  std::string line() const;
};

// Also checks the ledgers against the world's meters; differences are violations. Calls
// World::check_books().
ScenarioReport make_report(std::string name, World& world);

}  // namespace tributary::sim
