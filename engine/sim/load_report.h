// What came of a load test, simulated or live, and the books that it is drawn up from.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/ledger.h"
#include "engine/sim/cdn_model.h"
#include "engine/sim/listener.h"
#include "engine/sim/load_plan.h"

namespace tributary::sim {

// One step of time.
struct LoadBin {
  OriginBytes received;
  std::int32_t online = 0;  // listeners, at its end
};

// What came of some listeners, after the warm-up.
struct LoadFigures {
  std::int32_t listeners = 0;
  std::int64_t plays = 0;    // that were heard, or waited for to the end
  std::int64_t unheard = 0;  // of them, given up before the first frame
  std::int64_t stalled_plays = 0;
  std::int64_t stalls = 0;
  Duration stalled{};
  Duration heard{};
  // From the listener's wish to the first frame, ascending; hand-overs are not among them.
  std::vector<Duration> startups;         // of what had to be fetched
  std::vector<Duration> cached_startups;  // of what was in the cache

  OriginBytes played;    // bytes heard
  OriginBytes received;  // payload over the network; nothing from the cache
  Bytes uploaded;        // payload that left for peers
};

// Those of one link class.
struct LoadClass : LoadFigures {
  std::string name;
  Duration online{};  // of all of them together
};

// What real nodes took of the machine, of all of the run.
struct MachineUse {
  Duration processor{};
  Duration online{};  // of all of them together
  Bytes memory;       // of each node while most were online; what they share is part of it
};

// All of them, and the CDN.
struct LoadReport : LoadFigures {
  std::string policy;
  std::uint64_t seed = 0;
  std::uint64_t digest = 0;
  std::uint64_t events = 0;
  Duration measured{};

  // What became of what was received.
  OriginBytes kept;
  OriginBytes duplicate;  // right, and not needed any more
  OriginBytes corrupt;
  core::ByteCounts ledger;
  EgressMeter cdn;
  Duration bin{};
  std::vector<LoadBin> bins;
  std::array<OriginBytes, 10> by_popularity;  // received, by tenths of the catalogue
  std::vector<Bytes> uploads;                 // by listener
  std::vector<LoadClass> by_class;            // as the plan's links
  Bytes from_operator;  // of what peers gave, from the same operator; zero where there is one only
  std::int64_t messages = 0;
  Bytes message_bytes;
  Bytes search_bytes;  // of them, about other peers
  std::int64_t announces = 0;
  std::optional<MachineUse> machine;  // of a live run

  // Peers' part of the bytes that crossed the network, in millionths; zero without any.
  std::int64_t offload() const;
  // Jain's index of the uploads: (sum x)^2 / (n sum x^2), in millionths; zero without any.
  std::int64_t fairness() const;
};

// Tracks: the steps of time that are over, and what had been counted when the warm-up ended.
class LoadBooks {
 public:
  // Figures count what begins after the warm-up.
  LoadBooks(Duration warm_up, Duration bin) : warm_up_(warm_up), bin_(bin), bin_end_(bin) {}

  TimePoint bin_end() const { return bin_end_; }
  // At bin_end(). `received` and what `totals` gives are of the whole run so far.
  void end_bin(const OriginBytes& received, std::int32_t online,
               const std::function<LoadReport()>& totals);
  // Adds one playback, by a listener of that class, to the totals.
  void count(LoadReport& totals, LoadClass& of_class, const Play& play) const;
  // Makes a report of the totals at the end.
  LoadReport close(LoadReport totals, TimePoint now) const;

 private:
  Duration warm_up_;
  Duration bin_;
  TimePoint bin_end_;
  OriginBytes binned_;  // received before this step
  std::vector<LoadBin> bins_;
  std::optional<LoadReport> at_warm_up_;
};

// Adds what was received of a track to its tenth of the catalogue.
void add_by_popularity(LoadReport& totals, const LoadPlan& plan, std::int32_t track,
                       const OriginBytes& received);

}  // namespace tributary::sim
