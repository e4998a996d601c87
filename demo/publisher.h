// From an album on disk to the bytes of its .torrent.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "demo/album.h"
#include "engine/base/result.h"
#include "engine/wire/metainfo_build.h"

namespace tributary::demo {

// Bytes done and in all, over all files.
using PublishProgress = std::function<void(Bytes done, Bytes total)>;

// Reads what each file holds: its duration and byte↔time hints. A file that is no media is an error
// (kInvalid, "… is not a media file: …") when the user named it; those found in a folder are taken
// off the album and returned. `advice` gets lines for the user, such as how to make a file start
// sooner.
struct ScannedAlbum {
  std::vector<core::FileHints> hints;  // by file of the album
  std::vector<std::string> left_out;
  std::vector<std::string> advice;
};
Result<ScannedAlbum> scan_album(Album& album, const PublishProgress& progress);

struct PublishSettings {
  std::optional<Bytes> piece_length;
  std::vector<std::string> edges;
  std::vector<std::string> trackers;
  bool is_private = false;
};

struct Published {
  wire::OctetBuffer torrent;
  Bytes piece_length;
};

// Hashes everything. Without a piece length the smallest from 16 KiB is taken that keeps the
// .torrent under wire::kTargetMetainfoSize. Errors: kIo, kInvalid.
Result<Published> build_torrent(const Album& album, const ScannedAlbum& scanned,
                                const PublishSettings& settings, const PublishProgress& progress);

}  // namespace tributary::demo
