// Playlists as text: M3U and M3U8, PLS, XSPF 1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace tributary::wire {

inline constexpr std::size_t kMaxPlaylistSize = 8U << 20;  // bytes; 10,000 tracks take about 1 MB
inline constexpr std::size_t kMaxPlaylistEntries = 10'000;
inline constexpr std::size_t kMaxLocationLength = 8192;  // bytes, as kMaxUrlLength
inline constexpr std::size_t kMaxTitleLength = 1024;     // bytes; longer ones are cut

struct PlaylistEntry {
  std::string location;  // a URL, a magnet or a path
  std::string title;     // empty: unknown
  std::optional<Duration> duration;
  friend bool operator==(const PlaylistEntry&, const PlaylistEntry&) = default;
};

// Reads the format that the text begins like; plain lines are M3U. Locations are resolved against
// `base`, the URL or path of the playlist itself, when it is not empty. An HLS playlist is one
// stream cut up, not a list of tracks: kUnsupported.
// Errors name the line: "playlist line 12: …".
Result<std::vector<PlaylistEntry>> parse_playlist(std::string_view text, std::string_view base);

// `location` as seen from the playlist at `base`: URLs as in RFC 3986, paths from its folder.
std::string resolve_location(std::string_view base, std::string_view location);

}  // namespace tributary::wire
