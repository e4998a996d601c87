// An HTTP tracker: /announce and /scrape over wire::TrackerState.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/net/http_server.h"
#include "engine/net/loop.h"
#include "engine/wire/tracker_state.h"

namespace tributary::net {

// Loop thread only.
class TrackerServer {
 public:
  // `seed` decides which peers are drawn for an answer. Errors as HttpServer::listen().
  static Result<std::unique_ptr<TrackerServer>> serve(Loop& loop, const Endpoint& address,
                                                      const wire::TrackerOptions& options,
                                                      std::uint64_t seed,
                                                      HttpServerOptions server_options = {});

  Endpoint address() const { return server_->address(); }
  // What goes into a torrent: "http://127.0.0.1:6969/announce".
  std::string announce_url() const { return server_->url() + "/announce"; }
  const wire::TrackerState& state() const { return state_; }
  std::int64_t announces() const { return announces_; }

 private:
  TrackerServer(Loop& loop, const wire::TrackerOptions& options, std::uint64_t seed);
  HttpResponse answer(const HttpServerRequest& request);

  Loop& loop_;
  wire::TrackerState state_;
  std::int64_t announces_ = 0;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace tributary::net
