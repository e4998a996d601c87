// What a gateway offers: torrents by their info-hash, files by their path.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "player/client/playlist_item.h"

namespace tributary::player {

struct ShelfTorrent {
  std::string id;  // the info-hash, v1 before v2, in hexadecimal; "url1", … where there is none
  std::string name;
  std::shared_ptr<const core::Metainfo> metainfo;
  std::vector<PlaylistItem> tracks;  // in the order to be played in; an HLS stream: playlists
  std::map<std::string, core::FileIndex, std::less<>> files;  // by path, without padding
  std::vector<Endpoint> peers;
};

// Immutable.
class Shelf {
 public:
  explicit Shelf(const std::vector<PlaylistItem>& items);

  const std::vector<ShelfTorrent>& torrents() const { return torrents_; }
  // By either info-hash, in full or (v2) cut to 40 digits, of any case; or by its id.
  const ShelfTorrent* find(std::string_view id) const;

 private:
  std::vector<ShelfTorrent> torrents_;
  std::map<std::string, std::size_t, std::less<>> by_id_;
};

// What a path of the gateway names. The empty file is the torrent's playlist.
struct ShelfPath {
  std::string id;
  std::string file;
  friend bool operator==(const ShelfPath&, const ShelfPath&) = default;
};

// "/t/ID/", "/t/ID.m3u8" or "/t/ID/PATH", percent-encoded. Nothing for any other path.
std::optional<ShelfPath> parse_shelf_path(std::string_view path);
// "/t/ID/PATH" with each component percent-encoded.
std::string format_shelf_path(std::string_view id, std::string_view file);

}  // namespace tributary::player
