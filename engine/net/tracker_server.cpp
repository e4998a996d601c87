#include "engine/net/tracker_server.h"

#include <utility>

#include "engine/net/address.h"

namespace tributary::net {
namespace {

// Ports tried where the system chooses.
constexpr int kPortTries = 8;

}  // namespace

TrackerServer::TrackerServer(Loop& loop, const wire::TrackerOptions& options, std::uint64_t seed)
    : loop_(loop), state_(options, seed) {}

Result<std::unique_ptr<TrackerServer>> TrackerServer::serve(
    Loop& loop, const Endpoint& address, const wire::TrackerOptions& options, std::uint64_t seed,
    const TrackerServerOptions& server_options) {
  std::unique_ptr<TrackerServer> tracker(new TrackerServer(loop, options, seed));
  Result<void> listening = tracker->listen(address, server_options);
  // A port that the system chose for HTTP may be somebody else's by UDP.
  for (int n = 1; !listening && address.port == 0 && n < kPortTries; ++n) {
    listening = tracker->listen(address, server_options);
  }
  if (!listening) return listening.error();
  return tracker;
}

Result<void> TrackerServer::listen(const Endpoint& address, const TrackerServerOptions& options) {
  auto server = GetServer::listen(
      loop_, address, [this](const GetRequest& request) { return answer(request); }, options.http);
  if (!server) return server.error();
  server_ = std::move(*server);
  if (!options.udp) return {};
  auto udp = UdpTrackerServer::serve(loop_, server_->address(), state_);
  if (!udp) return udp.error();
  udp_ = std::move(*udp);
  return {};
}

std::string TrackerServer::udp_announce_url() const {
  return "udp://" + format_endpoint(address()) + "/announce";
}

GetAnswer TrackerServer::answer(const GetRequest& request) {
  if (request.path == "/announce") {
    ++announces_;
    return {200, state_.handle_announce(request.query, request.remote, loop_.now())};
  }
  if (request.path == "/scrape") return {200, state_.handle_scrape(request.query, loop_.now())};
  return {404, {}};
}

}  // namespace tributary::net
