#include "player/client/loader.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

#include "engine/net/digests.h"
#include "engine/wire/metainfo.h"
#include "engine/wire/playlist.h"
#include "engine/wire/text.h"
#include "engine/wire/url.h"

namespace tributary::player {
namespace {

constexpr std::array<std::string_view, 22> kMediaExtensions = {
    "aac", "aif", "aiff", "flac", "m4a", "m4b",  "m4v", "mka", "mkv",  "mov", "mp3",
    "mp4", "mpg", "oga",  "ogg",  "ogv", "opus", "ts",  "wav", "webm", "wma", "avi"};

std::string extension_of(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  const std::size_t dot = path.find_last_of('.');
  if (dot == std::string_view::npos) return {};
  std::string extension(path.substr(dot + 1));
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

bool is_playlist(std::string_view extension) {
  return extension == "m3u" || extension == "m3u8" || extension == "pls" || extension == "xspf";
}

std::string title_of(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash != std::string_view::npos) path.remove_prefix(slash + 1);
  const std::size_t dot = path.find_last_of('.');
  return std::string(dot == std::string_view::npos || dot == 0 ? path : path.substr(0, dot));
}

Result<std::string> read_file(const std::string& path, std::int64_t limit) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return Error{ErrorCode::kNotFound, path + ": cannot be opened; check the path"};
  if (file.tellg() > limit) {
    return Error{ErrorCode::kLimit, path + ": too large to be a torrent or playlist"};
  }
  file.seekg(0);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (file.bad()) return io_error(path + ": cannot be read");
  return text;
}

// The path part of a URL decides what it names.
std::string url_path(const std::string& url) {
  const auto decoded = wire::percent_decode(wire::split_url(url).path);
  return decoded.value_or(url);
}

class Loader {
 public:
  explicit Loader(RemoteFiles& remote) : remote_(remote) {}

  Result<void> add(const std::string& source, const std::string& title, int depth) {
    if (items_.size() >= kMaxPlaylistTracks) return {};
    if (wire::is_magnet(source)) return add_magnet(source, title);
    if (wire::is_http_url(source)) return add_url(source, title, depth);
    if (source.find("://") != std::string::npos) {
      return Error{ErrorCode::kUnsupported,
                   source +
                       ": unknown scheme; give a .torrent file, a playlist, a magnet link, or an "
                       "http(s) URL"};
    }
    TRIBUTARY_TRY(text, read_file(source, wire::kMaxMetainfoSize.count()));
    return add_text(text, source, title, depth);
  }

  std::vector<PlaylistItem> take() { return std::move(items_); }

 private:
  Result<void> add_url(const std::string& url, const std::string& title, int depth) {
    const std::string extension = extension_of(url_path(url));
    if (extension != "torrent" && !is_playlist(extension)) return add_media_url(url, title);
    TRIBUTARY_TRY(reply, remote_.get(url));
    if (reply.head.status != 200) {
      return io_error(url + ": the server answered " + std::to_string(reply.head.status));
    }
    return add_text(reply.body, url, title, depth);
  }

  Result<void> add_magnet(const std::string& link, const std::string& title) {
    auto magnet = wire::parse_magnet(link);
    if (!magnet) return magnet.error();
    const std::string name =
        magnet->name.empty() ? magnet->info_hashes().front().hex() : wire::printable(magnet->name);
    auto resolved = remote_.resolve(*magnet);
    if (!resolved) {
      return Error{resolved.error().code,
                   "magnet link '" + name + "': " + resolved.error().message};
    }
    const std::size_t before = items_.size();
    auto added = add_torrent(resolved->metainfo, "magnet link '" + name + "'", title);
    if (!added) return added;
    const auto first = items_.begin() + static_cast<std::ptrdiff_t>(before);
    items_.erase(std::remove_if(first, items_.end(),
                                [&](const PlaylistItem& i) { return !magnet->selects(i.file); }),
                 items_.end());
    if (items_.size() == before) {
      return invalid("magnet link '" + name + "': so: selects no media file of the torrent");
    }
    for (std::size_t i = before; i < items_.size(); ++i) items_[i].peers = resolved->peers;
    return {};
  }

  Result<void> add_text(const std::string& text, const std::string& where, const std::string& title,
                        int depth) {
    const std::string path = wire::is_http_url(where) ? url_path(where) : where;
    if (!text.starts_with('d') || is_playlist(extension_of(path))) {
      return add_playlist(text, where, depth);
    }
    const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(text.data()),
                                              text.size());
    auto parsed = wire::parse_metainfo(bytes, net::kDigester);
    if (!parsed) return invalid(where + ": not a usable torrent: " + parsed.error().message);
    return add_torrent(std::make_shared<core::Metainfo>(*std::move(parsed)), where, title);
  }

  Result<void> add_torrent(const std::shared_ptr<const core::Metainfo>& metainfo,
                           const std::string& where, const std::string& title) {
    std::vector<PlaylistItem> tracks;
    const auto& files = metainfo->info.files;
    for (std::size_t f = 0; f < files.size(); ++f) {
      if (files[f].pad || files[f].length == 0_B) continue;
      const bool known = f < metainfo->hints.size() && metainfo->hints[f].duration > 0us;
      if (files.size() > 1 && !known && !has_media_extension(files[f].path)) continue;
      const bool single = !metainfo->info.multi_file;
      tracks.push_back({metainfo, core::FileIndex(static_cast<std::int32_t>(f)),
                        single && !title.empty() ? title : title_of(files[f].path)});
    }
    if (tracks.empty()) return invalid(where + ": the torrent holds no media file");
    std::sort(tracks.begin(), tracks.end(), [&](const PlaylistItem& a, const PlaylistItem& b) {
      return natural_less(files[static_cast<std::size_t>(a.file.value())].path,
                          files[static_cast<std::size_t>(b.file.value())].path);
    });
    items_.insert(items_.end(), tracks.begin(), tracks.end());
    return {};
  }

  Result<void> add_playlist(const std::string& text, const std::string& where, int depth) {
    if (!is_playlist(extension_of(wire::is_http_url(where) ? url_path(where) : where))) {
      return invalid(where +
                     ": neither a torrent nor a playlist; publish media files first "
                     "(tributary publish)");
    }
    if (depth >= kMaxPlaylistDepth) return invalid(where + ": playlists are nested too deeply");
    auto entries = wire::parse_playlist(text, where);
    if (!entries) return invalid(where + ": " + entries.error().message);
    if (entries->empty()) return invalid(where + ": the playlist is empty");
    for (const wire::PlaylistEntry& entry : *entries) {
      // A list from the network must not reach into local files.
      if (wire::is_http_url(where) && !wire::is_http_url(entry.location)) {
        return invalid(where + ": a remote playlist may name only http(s) URLs, not " +
                       entry.location);
      }
      auto added = add(entry.location, entry.title, depth + 1);
      if (!added) return added;
    }
    return {};
  }

  // A media file without a torrent: one file of known size, nothing to verify, no peers.
  Result<void> add_media_url(const std::string& url, const std::string& title) {
    TRIBUTARY_TRY(reply, remote_.head(url));
    if (reply.head.status != 200) {
      return io_error(url + ": the server answered " + std::to_string(reply.head.status));
    }
    const auto size = content_length(reply.head.headers);
    if (!size || *size <= 0_B || *size > wire::kMaxTotalSize) {
      return io_error(url + ": the server does not tell the file's size (Content-Length)");
    }
    auto metainfo = std::make_shared<core::Metainfo>();
    core::TorrentInfo& info = metainfo->info;
    info.name = title_of(url_path(url));
    info.piece_length = core::kBlockSize;
    info.total_size = *size;
    info.files.emplace_back();
    info.files.back().path = info.name;
    info.files.back().length = *size;
    metainfo->edges = {url};
    items_.push_back({metainfo, core::FileIndex(0), title.empty() ? info.name : title, false});
    return {};
  }

  static std::optional<Bytes> content_length(const net::HttpHeaders& headers) {
    for (const auto& [name, value] : headers) {
      if (name != "content-length") continue;
      std::int64_t n = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), n);
      if (error == std::errc() && end == value.data() + value.size()) return Bytes(n);
    }
    return std::nullopt;
  }

  RemoteFiles& remote_;
  std::vector<PlaylistItem> items_;
};

}  // namespace

bool has_media_extension(const std::string& path) {
  const std::string extension = extension_of(path);
  return std::find(kMediaExtensions.begin(), kMediaExtensions.end(), extension) !=
         kMediaExtensions.end();
}

bool natural_less(const std::string& a, const std::string& b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[j])) {
      if (a[i] != b[j]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
      ++i, ++j;
      continue;
    }
    while (i < a.size() && a[i] == '0') ++i;
    while (j < b.size() && b[j] == '0') ++j;
    std::size_t m = i;
    std::size_t n = j;
    while (m < a.size() && is_digit(a[m])) ++m;
    while (n < b.size() && is_digit(b[n])) ++n;
    if (m - i != n - j) return m - i < n - j;
    if (const int order = a.compare(i, m - i, b, j, n - j); order != 0) return order < 0;
    i = m;
    j = n;
  }
  return a.size() - i < b.size() - j;
}

Result<std::vector<PlaylistItem>> load_sources(const std::vector<std::string>& sources,
                                               RemoteFiles& remote) {
  Loader loader(remote);
  for (const std::string& source : sources) {
    auto added = loader.add(source, "", 0);
    if (!added) return added.error();
  }
  return loader.take();
}

}  // namespace tributary::player
