// Playlists that the gateway hands out: of an album's tracks, and HLS playlists out of a torrent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/base/units.h"
#include "player/gateway/hls_pace.h"
#include "player/gateway/shelf.h"

namespace tributary::player {

// An HLS playlist lists segments of some seconds: a day's fits many times.
inline constexpr Bytes kMaxHlsPlaylist = 4_MiB;

// Where a player finds the gateway: "http://127.0.0.1:8090", and what is appended to each URL:
// empty, or "?token=…".
struct GatewayBase {
  std::string url;
  std::string query;
};

// Extended M3U of the tracks, with durations where they are known.
std::string album_playlist(const std::vector<const ShelfTorrent*>& torrents,
                           const GatewayBase& base);

struct RewrittenPlaylist {
  std::string text;
  std::vector<HlsSegment> segments;  // that are whole files of the torrent, in their order
};

// An HLS playlist (RFC 8216), or another M3U, that is the file `path` of the torrent, with each URI
// that names another file of it, relative or at one of its edges, turned into the gateway's. What
// it does not know, it leaves as it is.
RewrittenPlaylist rewrite_playlist(std::string_view text, const ShelfTorrent& torrent,
                                   std::string_view path, const GatewayBase& base);

bool is_playlist_path(std::string_view path);

}  // namespace tributary::player
