// Turns what a user names into playable entries: .torrent files and URLs, magnet links, playlists,
// media URLs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/net/http_client.h"
#include "engine/wire/magnet.h"
#include "player/client/magnet_resolver.h"
#include "player/client/playlist_item.h"

namespace tributary::player {

// Playlists may name playlists; deeper ones are refused.
inline constexpr int kMaxPlaylistDepth = 3;
inline constexpr std::size_t kMaxPlaylistTracks = 10'000;

// Fetches one small resource, asks for its head, or asks peers what a link stands for; blocks the
// calling thread.
class RemoteFiles {
 public:
  virtual ~RemoteFiles() = default;
  virtual Result<net::HttpReply> get(const std::string& url) = 0;
  virtual Result<net::HttpReply> head(const std::string& url) = 0;
  virtual Result<ResolvedMagnet> resolve(const wire::Magnet& magnet) = 0;
};

// In the order given; an album's tracks are its media files in natural order ("2" before "10").
// Errors: the first source that cannot be used, with what, where and how to mend it. Blocks.
Result<std::vector<PlaylistItem>> load_sources(const std::vector<std::string>& sources,
                                               RemoteFiles& remote);

// "track2" before "track10": runs of digits compare as numbers.
bool natural_less(const std::string& a, const std::string& b);

// Whether a file of this name can be a track, by its extension.
bool has_media_extension(const std::string& path);

}  // namespace tributary::player
