// The gateway's page, and what it shows: tracks, the engine's state as it changes, decisions.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/net/http_server.h"
#include "engine/net/timer.h"
#include "player/client/client.h"
#include "player/gateway/decision_log.h"
#include "player/gateway/gateway.h"
#include "player/gateway/shelf.h"

namespace tributary::player {

// What the page is told, as JSON.
std::string tracks_json(const Shelf& shelf);
std::string state_json(const EngineView& engine, const GatewayCounters& gateway,
                       const Shelf& shelf);
std::string decision_json(const core::Decision& decision);

inline constexpr std::string_view kSettingsPath = "/api/settings";

// Tracks who watches: each with the events that were not sent yet. Loop thread only; made for one
// server, which must outlive it or be gone for good, as must what the constructor gets.
class Dashboard {
 public:
  Dashboard(net::Loop& loop, Client& client, const Shelf& shelf, const GatewayCounters& counters,
            const GatewayOptions& options);

  // Lets a stream that waits go on; set before the first request.
  void on_resume(std::function<void(net::HttpExchangeId)> resume) { resume_ = std::move(resume); }
  // Nothing: the path is not the dashboard's. REQUIRES: the method is GET or HEAD.
  std::optional<net::HttpResponse> answer(const net::HttpServerRequest& request);
  // A POST to kSettingsPath: changes the client, and tells what holds now. A page of another site
  // cannot send one: it must be JSON, which a form is not, and come from our own page or from none.
  net::HttpResponse change(const net::HttpServerRequest& request);

 private:
  struct Watcher {
    std::string unsent;
    std::uint64_t seen = 0;  // decisions
  };

  net::HttpResponse watch(net::HttpExchangeId id);
  void tick();

  net::Loop& loop_;
  Client& client_;
  const Shelf& shelf_;
  const GatewayCounters& counters_;
  const GatewayOptions& options_;
  std::function<void(net::HttpExchangeId)> resume_;
  std::map<net::HttpExchangeId, std::shared_ptr<Watcher>> watchers_;
  net::Timer timer_;
};

}  // namespace tributary::player
