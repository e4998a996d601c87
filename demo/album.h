// Which files a `publish` is about, and how they are named in the torrent.
#pragma once

#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace tributary::demo {

struct AlbumFile {
  std::string location;  // where it is on this machine
  std::string path;      // in the torrent, components joined with '/'
  Bytes size;
  bool named = false;  // by the user himself; false: found in a folder
};

// Invariant: data lies at folder/name for a single file and at folder/name/path else, which is
// where `seed --data folder` and an origin of `folder` look for it.
struct Album {
  std::string name;
  std::string folder;
  bool multi_file = false;
  std::vector<AlbumFile> files;  // in natural order, none twice
};

// One FILE alone is a single-file torrent; everything else becomes an album below the deepest
// folder that holds all. Folders are searched to the bottom; hidden files are left out, as are
// links to folders and files that are empty. Errors: kNotFound, kInvalid, kIo, all naming the path.
Result<Album> collect_album(const std::vector<std::string>& paths);

}  // namespace tributary::demo
