// A plan of listeners run in real time by real nodes, all on one loop, and what came of it. The
// counterpart of sim::LoadTest.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "demo/loadtest/live_content.h"
#include "demo/loadtest/live_deployment.h"
#include "demo/loadtest/live_node.h"
#include "demo/loadtest/process_use.h"
#include "engine/base/result.h"
#include "engine/core/policy.h"
#include "engine/net/loop.h"
#include "engine/net/timer.h"
#include "engine/sim/load_report.h"
#include "engine/sim/load_test.h"

namespace tributary::demo {

// What all policies' tests share. Each must outlive them.
struct LiveStage {
  net::Loop& loop;
  const sim::LoadPlan& plan;
  const sim::LoadSetup& setup;
  const LiveTracks& tracks;
  LiveDeployment& deployment;
  std::string content;  // the folder of the tracks' files
  std::string caches;   // a folder for those of the listeners
  Endpoint listen;      // of each node that can be reached; port 0
};

// Loop thread only; not movable. Tracks: each listener's node while he is there and what his former
// ones came to, the next event of the plan, the step of time.
class LiveTest {
 public:
  using Progress = std::function<void(Duration done, Duration total)>;

  LiveTest(const LiveStage& stage, const core::Policy& policy, std::uint64_t seed);
  ~LiveTest();
  LiveTest(const LiveTest&) = delete;
  LiveTest& operator=(const LiveTest&) = delete;

  // Until the plan's end, or until `stop` is set. `progress` is called about ten times a second.
  // Errors: what kept a node or a server from its start.
  Result<void> run(const Progress& progress, const std::atomic<bool>& stop);
  // At the end; once. Says goodbye to peers and trackers, within a few seconds.
  sim::LoadReport report();

 private:
  struct Person {
    std::unique_ptr<LiveNode> node;  // while he is there
    TimePoint joined{};
    std::int32_t sessions = 0;
    std::int64_t link_part = sim::kWhole;  // of its link's rates, in millionths
    // Of all sessions that are over.
    std::vector<sim::Play> plays;
    Bytes uploaded;
    Duration online{};  // after the warm-up
  };
  // What is counted of all nodes.
  struct Sum {
    sim::LoadReport report;
    std::map<std::int32_t, sim::OriginBytes> received;  // by track
  };
  struct Leaving {
    std::int32_t listener = 0;
    std::unique_ptr<LiveNode> node;
    std::shared_ptr<bool> done = std::make_shared<bool>(false);
  };

  TimePoint now() const { return TimePoint(stage_.loop.now() - start_); }
  void go_on(const Progress& progress, const std::atomic<bool>& stop);
  Result<void> catch_up();
  Result<void> apply(const sim::LoadEvent& event);
  Result<void> join(std::int32_t listener);
  LiveNodeOptions options_of(std::int32_t listener) const;
  player::RateLimits limits_of(std::int32_t listener) const;
  void leave(std::int32_t listener);
  void set_link(std::int32_t listener, std::int64_t part);
  void sweep();
  std::size_t class_of(std::size_t listener) const;
  void add(Sum& sum, std::size_t listener) const;
  Sum sum() const;
  sim::EgressMeter egress(const core::ByteCounts& ledger) const;
  sim::LoadReport totals() const;

  LiveStage stage_;
  core::Policy policy_;
  std::uint64_t seed_;
  std::vector<Person> people_;
  std::vector<Leaving> leaving_;
  Sum before_;  // of all sessions that are over
  std::vector<std::pair<TimePoint, std::pair<sim::LoadFault::Kind, bool>>> faults_;  // by time
  std::size_t next_event_ = 0;
  std::size_t next_fault_ = 0;
  std::int32_t online_ = 0;
  sim::LoadBooks books_;
  TimePoint start_{};
  TimePoint end_{};
  sim::EgressMeter egress_before_;
  std::int64_t announces_before_ = 0;
  UseMeter use_;
  std::optional<Error> failed_;
  bool over_ = false;
  net::Timer timer_;
};

}  // namespace tributary::demo
