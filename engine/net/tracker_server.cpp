#include "engine/net/tracker_server.h"

#include <utility>

namespace tributary::net {
namespace {

HttpResponse bencoded(const wire::OctetBuffer& body) {
  return {200, {{"Content-Type", "text/plain"}}, std::string(body.begin(), body.end())};
}

}  // namespace

TrackerServer::TrackerServer(Loop& loop, const wire::TrackerOptions& options, std::uint64_t seed)
    : loop_(loop), state_(options, seed) {}

Result<std::unique_ptr<TrackerServer>> TrackerServer::serve(Loop& loop, const Endpoint& address,
                                                            const wire::TrackerOptions& options,
                                                            std::uint64_t seed,
                                                            HttpServerOptions server_options) {
  std::unique_ptr<TrackerServer> tracker(new TrackerServer(loop, options, seed));
  TrackerServer* raw = tracker.get();
  auto server = HttpServer::listen(
      loop, address, [raw](const HttpServerRequest& request) { return raw->answer(request); },
      server_options);
  if (!server) return server.error();
  tracker->server_ = std::move(*server);
  return tracker;
}

HttpResponse TrackerServer::answer(const HttpServerRequest& request) {
  if (request.method != "GET") return {405, {{"Allow", "GET"}}, std::string()};
  if (request.path == "/announce") {
    ++announces_;
    return bencoded(state_.handle_announce(request.query, request.remote, loop_.now()));
  }
  if (request.path == "/scrape") return bencoded(state_.handle_scrape(request.query, loop_.now()));
  return {404, {{"Content-Type", "text/plain"}}, std::string("not found\n")};
}

}  // namespace tributary::net
