// A plan of listeners run under one policy, and what came of it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/ledger.h"
#include "engine/core/policy.h"
#include "engine/sim/load_plan.h"
#include "engine/sim/world.h"

namespace tributary::sim {

// For a part of the run.
struct LoadFault {
  enum class Kind { kCdnDown, kTrackerDown };
  Kind kind = Kind::kCdnDown;
  TimePoint from{};
  TimePoint until{};
};

struct LoadSetup {
  EdgeParams edge;
  TrackerParams tracker;
  Bytes cache = Bytes(std::numeric_limits<std::int64_t>::max());  // of each listener
  std::int32_t shares = 20;                                       // as HostParams::shares
  bool overlay = true;
  std::vector<LoadFault> faults;
  // Figures count what begins after this: until then caches and swarms fill.
  Duration warm_up{};
  Duration bin = std::chrono::minutes(1);  // the step of figures over time
};

// One step of time.
struct LoadBin {
  OriginBytes received;
  std::int32_t online = 0;  // listeners, at its end
};

// All of the time after the warm-up.
struct LoadReport {
  std::string policy;
  std::uint64_t seed = 0;
  std::uint64_t digest = 0;
  std::uint64_t events = 0;
  std::int32_t listeners = 0;
  Duration measured{};

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
  core::ByteCounts ledger;
  EgressMeter cdn;
  Duration bin{};
  std::vector<LoadBin> bins;
  std::array<OriginBytes, 10> by_popularity;  // received, by tenths of the catalogue
  std::vector<Bytes> uploads;                 // by listener
  std::int64_t messages = 0;
  Bytes message_bytes;
  std::int64_t announces = 0;

  // Peers' part of the bytes that crossed the network, in millionths; zero without any.
  std::int64_t offload() const;
  // Jain's index of the uploads: (sum x)^2 / (n sum x^2), in millionths; zero without any.
  std::int64_t fairness() const;
};

// Not movable. One thread; several may run beside each other.
class LoadTest {
 public:
  // The plan must outlive it.
  LoadTest(const LoadPlan& plan, const LoadSetup& setup, const core::Policy& policy,
           std::uint64_t seed);

  // Times must not run backwards.
  void run_until(TimePoint end);
  TimePoint now() const { return world_.now(); }
  // At the end; once.
  LoadReport report();

 private:
  // Each session of a listener is a host of its own.
  struct Person {
    std::vector<HostId> sessions;
    bool online = false;
  };

  void apply(const LoadEvent& event);
  void plan_faults();
  void join(std::int32_t listener);
  core::TorrentId torrent(std::int32_t track);
  void end_bin();
  void count(LoadReport& report, const Play& play) const;
  void add_host(LoadReport& report, HostId host) const;
  // What grows while it runs.
  LoadReport totals() const;

  const LoadPlan& plan_;
  LoadSetup setup_;
  core::Policy policy_;
  std::uint64_t seed_;
  World world_;
  HostId edge_;
  std::vector<Person> people_;
  std::vector<std::optional<core::TorrentId>> torrents_;  // by track, made when first needed
  std::vector<std::int32_t> track_of_;                    // by torrent
  std::size_t next_event_ = 0;
  std::int32_t online_ = 0;
  std::optional<LoadReport> warm_up_;  // totals at its end
  std::vector<LoadBin> bins_;
  TimePoint bin_end_{};
  OriginBytes binned_;  // received before this bin
};

}  // namespace tributary::sim
