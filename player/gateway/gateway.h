// An HTTP server through which any player plays what the engine fetches: files of torrents with
// ranges, playlists of albums, HLS out of a torrent.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/net/http_server.h"
#include "player/client/client.h"
#include "player/gateway/decision_log.h"
#include "player/gateway/request_guard.h"

namespace tributary::player {

struct GatewayOptions {
  Endpoint listen = Endpoint::v4(127, 0, 0, 1, 8090);
  // Without a token only this machine is listened to: serve() refuses any other address.
  GatewayAccess access;
  // Files whose rate nobody knows are taken to be read at least so fast; see ReaderOptions.
  BitRate reading_rate;
  // What the client decided, for the dashboard; may be none.
  std::shared_ptr<const DecisionLog> decisions;
  // Each byte costs: the dashboard cannot have the client share, and its policies are metered.
  bool metered = false;
};

struct GatewayCounters {
  std::map<int, std::int64_t> requests;  // by status
  Bytes sent;                            // of files
  std::int32_t streams = 0;              // bodies of files that are being sent
};

// Paths:
//   /t/ID/PATH       a file of the torrent with the info-hash ID; GET and HEAD, one range
//   /t/ID/           the torrent's tracks as M3U8; /t/ID.m3u8 too
//   /playlist.m3u8   all tracks
//   /metrics         figures for Prometheus
//   /                the dashboard, which changes policy and limits by a POST to /api/settings
// A read waits until its bytes are verified; who hangs up no longer demands any. What is wrong with
// a request is told in one line, with 400, 401, 403, 404, 405, 415, 416 or
// 421.
//
// The thread of its own loop only, which is not the client's.
class Gateway {
 public:
  // Errors: the port is taken; an address of the network without a token. The client must outlive
  // the gateway.
  static Result<std::unique_ptr<Gateway>> serve(net::Loop& loop, Client& client,
                                                const std::vector<PlaylistItem>& items,
                                                GatewayOptions options);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  Endpoint address() const;
  std::string url() const;  // "http://127.0.0.1:8090"
  // Of all tracks, with the token where there is one.
  std::string playlist_url() const;
  const GatewayCounters& counters() const;

 private:
  class State;
  explicit Gateway(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace tributary::player
