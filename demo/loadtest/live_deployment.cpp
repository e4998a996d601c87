#include "demo/loadtest/live_deployment.h"

#include <algorithm>
#include <utility>

#include "engine/base/url.h"
#include "engine/net/address.h"
#include "engine/net/digests.h"

namespace tributary::demo {
namespace {

const Endpoint kAnyLoopbackPort = Endpoint::v4(127, 0, 0, 1, 0);

sim::EgressMeter meter_of(const cdn::OriginCounters& counters) {
  sim::EgressMeter meter;
  meter.bytes = counters.body_sent;
  meter.requests = counters.requests;
  for (const auto& [status, count] : counters.by_status) {
    if (status >= 400) meter.failures += count;
  }
  return meter;
}

// The host of a URL, and whether it can be nowhere but here.
bool names_loopback(const std::string& url) {
  const std::string origin = origin_of(url);
  const std::size_t scheme = origin.find("://");
  std::string host = scheme == std::string::npos ? origin : origin.substr(scheme + 3);
  if (const std::size_t port = host.rfind(':'); port != std::string::npos && host.back() != ']') {
    host.resize(port);
  }
  const auto address = net::parse_endpoint(host + ":1");
  return host == "localhost" || (address && address->is_loopback());
}

}  // namespace

bool LiveTarget::is_loopback() const {
  return (edge.empty() || names_loopback(edge)) && (tracker.empty() || names_loopback(tracker));
}

Result<std::unique_ptr<LiveDeployment>> LiveDeployment::start(net::Loop& loop,
                                                              const LiveTarget& target,
                                                              const std::string& folder,
                                                              const sim::LoadSetup& setup) {
  std::unique_ptr<LiveDeployment> made(new LiveDeployment(loop, folder, setup));
  made->edge_ = target.edge;
  made->tracker_ = target.tracker;
  made->own_edge_ = target.edge.empty();
  made->own_tracker_ = target.tracker.empty();
  if (made->own_edge_) {
    if (auto opened = made->open_origin(kAnyLoopbackPort); !opened) return opened.error();
    made->edge_ = made->origin_->url() + "/";
  }
  if (made->own_tracker_) {
    if (auto opened = made->open_tracker(kAnyLoopbackPort); !opened) return opened.error();
    made->tracker_ = made->server_->announce_url();
  }
  return made;
}

Result<void> LiveDeployment::open_origin(const Endpoint& address) {
  cdn::OriginOptions options;
  if (setup_.edge.egress != kUnlimited) options.total_rate = setup_.edge.egress;
  if (setup_.edge.per_connection != kUnlimited) options.response_rate = setup_.edge.per_connection;
  TRIBUTARY_TRY(origin, cdn::Origin::serve(loop_, folder_, address, options));
  origin_ = std::move(origin);
  origin_at_ = origin_->address();
  return {};
}

Result<void> LiveDeployment::open_tracker(const Endpoint& address) {
  wire::TrackerOptions options;
  options.interval = setup_.tracker.interval;
  options.min_interval = std::min(setup_.tracker.min_interval, options.interval);
  options.peer_lifetime = options.interval * 2 + options.interval / 6;
  options.max_peers_per_answer = setup_.tracker.most_peers;
  TRIBUTARY_TRY(server,
                net::TrackerServer::serve(loop_, address, options, net::secure_random_u64()));
  server_ = std::move(server);
  tracker_at_ = server_->address();
  return {};
}

Result<void> LiveDeployment::set_down(sim::LoadFault::Kind what, bool down) {
  if (what == sim::LoadFault::Kind::kCdnDown) {
    if (!down) return origin_ ? Result<void>{} : open_origin(origin_at_);
    before_ = egress();
    origin_ = nullptr;
  } else {
    if (!down) return server_ ? Result<void>{} : open_tracker(tracker_at_);
    announces_before_ = announces();
    server_ = nullptr;
  }
  return {};
}

sim::EgressMeter LiveDeployment::egress() const {
  sim::EgressMeter sum = before_;
  if (!origin_) return sum;
  const sim::EgressMeter now = meter_of(origin_->counters());
  sum.bytes += now.bytes;
  sum.requests += now.requests;
  sum.failures += now.failures;
  return sum;
}

std::int64_t LiveDeployment::announces() const {
  return announces_before_ + (server_ ? server_->announces() : 0);
}

}  // namespace tributary::demo
