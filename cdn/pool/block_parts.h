// From blocks of torrent space to byte ranges of files.
#pragma once

#include <vector>

#include "cdn/pool/http.h"
#include "engine/base/units.h"
#include "engine/core/ids.h"
#include "engine/core/layout.h"
#include "engine/core/torrent_info.h"

namespace tributary::cdn {

struct FilePart {
  core::FileIndex file;
  ByteRange range;  // within the file
  friend bool operator==(const FilePart&, const FilePart&) = default;
};

// What to ask for so that the joined bytes are exactly the blocks' bytes, in order.
struct BlockParts {
  std::vector<FilePart> parts;
  std::vector<HttpGet::Cut> cuts;
};

// `blocks` ascending. Adjacent ranges of one file become one part; padding and blocks that consist
// of nothing else are left out.
BlockParts parts_of(const std::vector<core::BlockIndex>& blocks, const core::Layout& layout,
                    const std::vector<core::FileEntry>& files);

}  // namespace tributary::cdn
