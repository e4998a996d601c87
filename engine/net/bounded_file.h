// A file that the user names, whole, up to a limit.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/base/units.h"

namespace tributary::net {

// `wanted` is what the file should be, "a .torrent", for the errors: kNotFound (a folder too), kIo,
// and kLimit, beyond `limit` bytes, in whole MiB.
Result<std::string> read_bounded(const std::string& path, Bytes limit, std::string_view wanted);

}  // namespace tributary::net
