// Reads a whole local file for what `publish` writes into a torrent.
#pragma once

#include <functional>
#include <string>

#include "engine/base/result.h"
#include "engine/core/torrent_info.h"
#include "player/media/demuxer.h"

namespace tributary::player {

struct MediaScan {
  core::FileHints hints;  // exact duration, at most MediaIndex::kMaxPoints points
  MediaInfo info;         // info.index_last tells a file that starts slowly; see `mend`
  std::string mend;       // how to make it start sooner; empty when nothing is wrong
};

// Called now and then with the bytes read and the file's size; false cancels the scan.
using ScanProgress = std::function<bool(Bytes done, Bytes total)>;

// Reads the packets of a local file, or its sample tables alone. Errors: kUnsupported or kInvalid
// for what is no media file, kNotFound, kIo, kCancelled; all name the file.
Result<MediaScan> scan_file(const std::string& path, const ScanProgress& progress = {});

}  // namespace tributary::player
