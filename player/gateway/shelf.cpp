#include "player/gateway/shelf.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "engine/net/http_headers.h"
#include "engine/wire/url.h"

namespace tributary::player {
namespace {

constexpr std::string_view kRoot = "/t/";
constexpr std::string_view kPlaylist = ".m3u8";
// 64 digits of a v2 hash.
constexpr std::size_t kMaxId = 64;

std::vector<std::string> names_of(const core::TorrentInfo& info) {
  std::vector<std::string> names;
  if (info.v1_hash) names.push_back(info.v1_hash->hex());
  if (info.v2_hash) {
    names.push_back(info.v2_hash->hex());
    names.push_back(names.back().substr(0, 40));
  }
  return names;
}

bool is_segment(const PlaylistItem& track) {
  const auto& files = track.metainfo->info.files;
  const std::string& path = files[static_cast<std::size_t>(track.file.value())].path;
  return path.ends_with(".ts") || path.ends_with(".m4s") || path.ends_with(".mp4") ||
         path.ends_with(".aac");
}

// Where all media are segments of an HLS stream, its playlists at the top are what is played.
void prefer_streams(ShelfTorrent& torrent) {
  if (!std::all_of(torrent.tracks.begin(), torrent.tracks.end(), is_segment)) return;
  std::vector<PlaylistItem> streams;
  std::ptrdiff_t depth = PTRDIFF_MAX;
  for (const auto& [path, file] : torrent.files) {
    const auto below = std::count(path.begin(), path.end(), '/');
    if (!path.ends_with(kPlaylist) || below > depth) continue;
    if (below < depth) streams.clear();
    depth = below;
    streams.push_back({torrent.metainfo, file, torrent.name, true, torrent.peers});
  }
  if (!streams.empty()) torrent.tracks = std::move(streams);
}

ShelfTorrent make_torrent(const PlaylistItem& item) {
  ShelfTorrent torrent;
  torrent.name = item.metainfo->info.name;
  torrent.metainfo = item.metainfo;
  torrent.peers = item.peers;
  const auto& files = item.metainfo->info.files;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].pad) continue;
    torrent.files.emplace(files[i].path, core::FileIndex(static_cast<std::int32_t>(i)));
  }
  return torrent;
}

}  // namespace

Shelf::Shelf(const std::vector<PlaylistItem>& items) {
  int urls = 0;
  for (const PlaylistItem& item : items) {
    auto at = std::find_if(torrents_.begin(), torrents_.end(),
                           [&](const ShelfTorrent& t) { return t.metainfo == item.metainfo; });
    std::vector<std::string> names = names_of(item.metainfo->info);
    // The same torrent may be named twice.
    if (at == torrents_.end() && !names.empty() && by_id_.contains(names.front())) continue;
    if (at == torrents_.end()) {
      if (names.empty()) names.push_back("url" + std::to_string(++urls));
      torrents_.push_back(make_torrent(item));
      at = torrents_.end() - 1;
      at->id = names.front();
      for (const std::string& name : names) by_id_.emplace(name, torrents_.size() - 1);
    }
    at->tracks.push_back(item);
  }
  for (ShelfTorrent& torrent : torrents_) prefer_streams(torrent);
}

const ShelfTorrent* Shelf::find(std::string_view id) const {
  const auto at = by_id_.find(net::lower_case(id));
  return at == by_id_.end() ? nullptr : &torrents_[at->second];
}

std::optional<ShelfPath> parse_shelf_path(std::string_view path) {
  if (path.size() > wire::kMaxUrlLength || !path.starts_with(kRoot)) return std::nullopt;
  path.remove_prefix(kRoot.size());
  const std::size_t slash = path.find('/');
  std::string_view id = path.substr(0, slash);
  if (slash == std::string_view::npos) {
    if (!id.ends_with(kPlaylist)) return std::nullopt;
    id.remove_suffix(kPlaylist.size());
  }
  if (id.empty() || id.size() > kMaxId) return std::nullopt;
  ShelfPath parsed{std::string(id), {}};
  if (slash == std::string_view::npos) return parsed;
  auto file = wire::percent_decode(path.substr(slash + 1));
  if (!file) return std::nullopt;
  parsed.file = *std::move(file);
  return parsed;
}

std::string format_shelf_path(std::string_view id, std::string_view file) {
  std::string path = std::string(kRoot) + std::string(id);
  while (true) {
    const std::size_t slash = file.find('/');
    path += '/' + wire::percent_encode(file.substr(0, slash));
    if (slash == std::string_view::npos) return path;
    file.remove_prefix(slash + 1);
  }
}

}  // namespace tributary::player
