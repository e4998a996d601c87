// A plan of listeners run under one policy, and what came of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/core/policy.h"
#include "engine/sim/load_plan.h"
#include "engine/sim/load_report.h"
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
  bool hole_punching = false;  // those behind NAT meet, where others can introduce them
  bool dht = false;            // listeners are in the DHT, and look for peers there
  bool near_first = true;      // who is of one of several operators prefers peers of the same
  std::vector<LoadFault> faults;
  // Figures count what begins after this: until then caches and swarms fill.
  Duration warm_up{};
  Duration bin = std::chrono::minutes(1);  // the step of figures over time
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
  std::int32_t next_address_ = 1;  // within each operator's block
  LoadBooks books_;
};

}  // namespace tributary::sim
