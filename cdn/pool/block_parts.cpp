#include "cdn/pool/block_parts.h"

#include <algorithm>

namespace tributary::cdn {
namespace {

void add_range(std::vector<FilePart>& parts, core::FileIndex file, ByteRange range) {
  if (!parts.empty() && parts.back().file == file && parts.back().range.end == range.begin) {
    parts.back().range.end = range.end;
    return;
  }
  parts.push_back({file, range});
}

void add_block(std::vector<FilePart>& parts, ByteRange bytes,
               const std::vector<core::FileEntry>& files) {
  auto file = std::partition_point(files.begin(), files.end(), [&](const core::FileEntry& f) {
    return f.range().end <= bytes.begin;
  });
  for (; file != files.end() && file->offset < bytes.end; ++file) {
    const ByteRange overlap = intersect(bytes, file->range());
    if (file->pad || overlap.empty()) continue;
    const core::FileIndex index(static_cast<std::int32_t>(file - files.begin()));
    add_range(parts, index, {overlap.begin - file->offset, overlap.end - file->offset});
  }
}

}  // namespace

BlockParts parts_of(const std::vector<core::BlockIndex>& blocks, const core::Layout& layout,
                    const std::vector<core::FileEntry>& files) {
  BlockParts result;
  for (const core::BlockIndex block : blocks) {
    const ByteRange bytes = layout.block_range(block);
    if (bytes.empty()) continue;
    add_block(result.parts, bytes, files);
    result.cuts.push_back({block, bytes.size()});
  }
  return result;
}

}  // namespace tributary::cdn
