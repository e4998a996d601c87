#include "player/gateway/playlist_text.h"

#include <algorithm>
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
    if (!name) return std::string(text);
    return base_.url + format_shelf_path(torrent_.id, *name) + base_.query;
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

 private:
  static std::string encoded(std::string_view path) {
    return format_shelf_path("x", path).substr(std::string_view("/t/x/").size());
  }

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

  const ShelfTorrent& torrent_;
  const GatewayBase& base_;
  const std::string here_;
  std::map<std::string, std::string, std::less<>> at_edges_;
};

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

std::string rewrite_playlist(std::string_view text, const ShelfTorrent& torrent,
                             std::string_view path, const GatewayBase& base) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const Rewriter rewriter(torrent, path, base);
  std::string out;
  for (const std::string_view line : wire::split_lines(text)) {
    const std::string_view entry = wire::trim(line);
    if (entry.starts_with("#EXT")) {
      out += rewriter.tag(entry);
    } else if (entry.empty() || entry.starts_with('#')) {
      out += entry;
    } else {
      out += rewriter.uri(entry);
    }
    out += '\n';
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
