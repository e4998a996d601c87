// What a live load test is run against: a CDN and a tracker that are there already, or ones of this
// process on loopback.
#pragma once

#include <memory>
#include <string>

#include "cdn/http/origin.h"
#include "engine/base/result.h"
#include "engine/net/loop.h"
#include "engine/net/tracker_server.h"
#include "engine/sim/load_test.h"

namespace tributary::demo {

struct LiveTarget {
  std::string edge;  // URL of a folder; "": an origin of this process
  std::string tracker;
  bool is_loopback() const;  // whether nothing leaves this machine
};

// Loop thread only. Tracks: the servers that are up, and what those that were taken down counted.
class LiveDeployment {
 public:
  // The own origin serves `folder`. Errors: kIo.
  static Result<std::unique_ptr<LiveDeployment>> start(net::Loop& loop, const LiveTarget& target,
                                                       const std::string& folder,
                                                       const sim::LoadSetup& setup);

  const std::string& edge() const { return edge_; }  // ends in '/'
  const std::string& tracker() const { return tracker_; }
  bool own_edge() const { return own_edge_; }
  bool own_tracker() const { return own_tracker_; }

  // Takes a server of this process down, or up again at its address.
  Result<void> set_down(sim::LoadFault::Kind what, bool down);

  // What the own origin sent; nothing of another's edge.
  sim::EgressMeter egress() const;
  std::int64_t announces() const;  // that the own tracker answered

 private:
  LiveDeployment(net::Loop& loop, std::string folder, const sim::LoadSetup& setup)
      : loop_(loop), folder_(std::move(folder)), setup_(setup) {}
  Result<void> open_origin(const Endpoint& address);
  Result<void> open_tracker(const Endpoint& address);

  net::Loop& loop_;
  std::string folder_;
  sim::LoadSetup setup_;
  std::string edge_;
  std::string tracker_;
  bool own_edge_ = false;
  bool own_tracker_ = false;
  Endpoint origin_at_;
  Endpoint tracker_at_;
  std::unique_ptr<cdn::Origin> origin_;
  std::unique_ptr<net::TrackerServer> server_;
  sim::EgressMeter before_;  // of origins that were taken down
  std::int64_t announces_before_ = 0;
};

}  // namespace tributary::demo
