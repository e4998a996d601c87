#include "player/gateway/playlist_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

#include "cdn/pool/header_values.h"
#include "engine/wire/text.h"
#include "engine/wire/url.h"

namespace tributary::player {
namespace {

// A base that no playlist's own URIs can mean; its path is the torrent's root.
constexpr std::string_view kInside = "torrent://inside/";

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  return text;
}

std::string seconds_of(const PlaylistItem& track) {
  const auto file = static_cast<std::size_t>(track.file.value());
  const auto& hints = track.metainfo->hints;
  if (file >= hints.size() || hints[file].duration <= Duration::zero()) return "-1";
  return std::to_string((hints[file].duration + 500ms) / 1s);
}

// Turns URIs of one playlist into the gateway's.
class Rewriter {
 public:
  Rewriter(const ShelfTorrent& torrent, std::string_view path, const GatewayBase& base)
      : torrent_(torrent), base_(base), here_(std::string(kInside) + encoded(path)) {
    const auto& info = torrent.metainfo->info;
    for (const std::string& edge : torrent.metainfo->edges) {
      for (const auto& [name, file] : torrent.files) {
        const auto& entry = info.files[static_cast<std::size_t>(file.value())];
        at_edges_.emplace(wire::web_seed_url(edge, info, entry), name);
      }
    }
  }

  std::string uri(std::string_view text) const {
    const auto name = file_of(text);
    return name ? url_of(*name) : std::string(text);
  }

  std::string url_of(const std::string& name) const {
    return base_.url + format_shelf_path(torrent_.id, name) + base_.query;
  }

  std::string tag(std::string_view line) const {
    constexpr std::string_view kAttribute = "URI=\"";
    std::string out;
    for (;;) {
      const std::size_t at = line.find(kAttribute);
      if (at == std::string_view::npos) return out + std::string(line);
      const std::size_t begin = at + kAttribute.size();
      const std::size_t end = line.find('"', begin);
      if (end == std::string_view::npos) return out + std::string(line);
      out += std::string(line.substr(0, begin)) + uri(line.substr(begin, end - begin)) + '"';
      line.remove_prefix(end + 1);
    }
  }

  // The file of the torrent that a URI names.
  std::optional<std::string> file_of(std::string_view text) const {
    if (text.size() > wire::kMaxUrlLength) return std::nullopt;
    if (wire::is_http_url(text)) {
      const auto at = at_edges_.find(text);
      return at == at_edges_.end() ? std::nullopt : std::optional(at->second);
    }
    const std::string url = wire::resolve_url(here_, text);
    if (!url.starts_with(kInside)) return std::nullopt;
    auto name = wire::percent_decode(wire::split_url(url).path.substr(1));
    if (!name || !torrent_.files.contains(*name)) return std::nullopt;
    return name;
  }

 private:
  static std::string encoded(std::string_view path) {
    return format_shelf_path("x", path).substr(std::string_view("/t/x/").size());
  }

  const ShelfTorrent& torrent_;
  const GatewayBase& base_;
  const std::string here_;
  std::map<std::string, std::string, std::less<>> at_edges_;
};

// What "#EXTINF:4.004,title" says, up to an hour; nothing for what makes no sense.
std::optional<Duration> segment_duration(std::string_view tag) {
  constexpr double kLongest = 3600;
  double seconds = 0;
  const auto read = std::from_chars(tag.data(), tag.data() + tag.size(), seconds);
  if (read.ec != std::errc() || !(seconds > 0) || seconds > kLongest) return std::nullopt;
  return Duration(std::llround(seconds * 1e6));
}

}  // namespace

std::string album_playlist(const std::vector<const ShelfTorrent*>& torrents,
                           const GatewayBase& base) {
  std::string text = "#EXTM3U\n";
  for (const ShelfTorrent* torrent : torrents) {
    for (const PlaylistItem& track : torrent->tracks) {
      const auto& files = torrent->metainfo->info.files;
      const std::string& path = files[static_cast<std::size_t>(track.file.value())].path;
      text += "#EXTINF:" + seconds_of(track) + ',' + one_line(track.title) + '\n';
      text += base.url + format_shelf_path(torrent->id, path) + base.query + '\n';
    }
  }
  return text;
}

RewrittenPlaylist rewrite_playlist(std::string_view text, const ShelfTorrent& torrent,
                                   std::string_view path, const GatewayBase& base) {
  constexpr std::string_view kInformation = "#EXTINF:";
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const Rewriter rewriter(torrent, path, base);
  RewrittenPlaylist out;
  std::optional<Duration> duration;  // of the segment whose URI follows
  for (const std::string_view line : wire::split_lines(text)) {
    const std::string_view entry = wire::trim(line);
    if (entry.starts_with("#EXT")) {
      out.text += rewriter.tag(entry);
      if (entry.starts_with(kInformation)) {
        duration = segment_duration(entry.substr(kInformation.size()));
      } else if (entry.starts_with("#EXT-X-BYTERANGE")) {
        duration.reset();
      }
    } else if (entry.empty() || entry.starts_with('#')) {
      out.text += entry;
    } else {
      const auto file = rewriter.file_of(entry);
      out.text += file ? rewriter.url_of(*file) : std::string(entry);
      if (file && duration) out.segments.push_back({*file, *duration});
      duration.reset();
    }
    out.text += '\n';
  }
  return out;
}

bool is_playlist_path(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return false;
  return cdn::equal_ignoring_case(path.substr(dot), ".m3u8") ||
         cdn::equal_ignoring_case(path.substr(dot), ".m3u");
}

}  // namespace tributary::player
