// One playable entry, after all torrents, albums and playlists are resolved.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/base/endpoint.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/core/torrent_info.h"

namespace tributary::player {

struct PlaylistItem {
  std::shared_ptr<const core::Metainfo> metainfo;
  core::FileIndex file;
  std::string title;
  bool verifiable = true;         // false: a plain URL without hashes, from the CDN only
  std::vector<Endpoint> peers{};  // a magnet link's, and who told its torrent
};

}  // namespace tributary::player
