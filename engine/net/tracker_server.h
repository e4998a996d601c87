// A tracker over wire::TrackerState: /announce and /scrape by HTTP, the same by UDP (BEP 15).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/net/get_server.h"
#include "engine/net/loop.h"
#include "engine/net/udp_tracker_server.h"
#include "engine/wire/tracker_state.h"

namespace tributary::net {

struct TrackerServerOptions {
  GetServerOptions http;
  bool udp = true;
};

// Loop thread only.
class TrackerServer {
 public:
  // UDP has the same port as HTTP. `seed` decides which peers are drawn for an answer. Errors as
  // GetServer::listen(), and when UDP cannot have the port.
  static Result<std::unique_ptr<TrackerServer>> serve(
      Loop& loop, const Endpoint& address, const wire::TrackerOptions& options, std::uint64_t seed,
      const TrackerServerOptions& server_options = {});

  Endpoint address() const { return server_->address(); }
  // What goes into a torrent: "http://127.0.0.1:6969/announce".
  std::string announce_url() const { return server_->url() + "/announce"; }
  // "udp://127.0.0.1:6969/announce".
  std::string udp_announce_url() const;
  const wire::TrackerState& state() const { return state_; }
  std::int64_t announces() const { return announces_ + (udp_ ? udp_->announces() : 0); }

 private:
  TrackerServer(Loop& loop, const wire::TrackerOptions& options, std::uint64_t seed);
  Result<void> listen(const Endpoint& address, const TrackerServerOptions& options);
  GetAnswer answer(const GetRequest& request);

  Loop& loop_;
  wire::TrackerState state_;
  std::int64_t announces_ = 0;  // by HTTP
  std::unique_ptr<GetServer> server_;
  std::unique_ptr<UdpTrackerServer> udp_;
};

}  // namespace tributary::net
