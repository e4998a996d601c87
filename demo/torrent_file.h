// Reading .torrent files for the subcommands.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/wire/metainfo.h"

namespace tributary::demo {

// The metainfo of a file. Errors name the file, and the byte or key where it is malformed.
Result<core::Metainfo> read_torrent(const std::string& path);

}  // namespace tributary::demo
