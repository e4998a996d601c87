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
  // kPartition: the operators' networks do not reach each other, the CDN and the tracker reach all.
  enum class Kind { kCdnDown, kTrackerDown, kPartition };
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
  bool near_first = true;  // who is of one of several operators prefers peers of the same
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
    std::int64_t link_part = kWhole;  // of its link's rates, in millionths
    TimePoint joined{};
    Duration was_online{};  // after the warm-up, up to `joined`
  };

  void apply(const LoadEvent& event);
  void plan_faults();
  HostParams host_params(const LoadListener& who);
  void join(std::int32_t listener);
  void leave(std::int32_t listener);
  void set_link(std::int32_t listener, std::int64_t part);
  void apply_link(const Person& person, const LoadListener& who);
  core::TorrentId torrent(std::int32_t track);
  void end_bin();
  void add_plays(LoadReport& report, std::size_t listener) const;
  void add_host(LoadReport& report, LoadClass& of_class, HostId host) const;
  // What grows while it runs.
  LoadReport totals() const;

  const LoadPlan& plan_;
  LoadSetup setup_;
  core::Policy policy_;
  std::uint64_t seed_;
  World world_;
  HostId edge_;
  core::OperatorTable operators_;
  std::vector<Person> people_;
  std::vector<std::optional<core::TorrentId>> torrents_;  // by track, made when first needed
  std::vector<std::int32_t> track_of_;                    // by torrent
  std::size_t next_event_ = 0;
  std::int32_t online_ = 0;
  std::int32_t next_address_ = 1;      // within each operator's block
  std::optional<LoadReport> warm_up_;  // totals at its end
  std::vector<LoadBin> bins_;
  TimePoint bin_end_{};
  OriginBytes binned_;  // received before this bin
};

}  // namespace tributary::sim
