#include "engine/net/store_source.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "engine/net/digests.h"
#include "engine/wire/merkle.h"

namespace tributary::net {
namespace {

using core::BlockIndex;
using core::BlockRange;
using core::FileEntry;
using core::PieceIndex;

constexpr auto kBlock = static_cast<std::size_t>(core::kBlockSize.count());

bool is_safe_component(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == name.npos &&
         name.find('\0') == name.npos;
}

}  // namespace

Bytes block_extent(const core::Layout& layout, BlockIndex block) {
  const ByteRange piece = layout.piece_range(layout.piece_of(block));
  const Bytes begin = layout.block_range(block).begin;
  return std::min(core::kBlockSize, piece.end - begin);
}

UserFiles::UserFiles(const std::string& directory, std::shared_ptr<const core::TorrentInfo> info,
                     std::shared_ptr<const core::Layout> layout)
    : info_(std::move(info)),
      layout_(std::move(layout)),
      placements_(place_contents(*info_, *layout_)) {
  const bool safe = is_safe_component(info_->name);
  const std::string root = directory + "/" + info_->name;
  for (const FileEntry& file : info_->files) {
    if (file.pad || file.length <= 0_B) continue;
    File entry{info_->multi_file ? root + "/" + file.path : root, file.range(), std::nullopt};
    if (const auto opened = DiskFile::open_read(entry.path); safe && opened) {
      if (const auto stamp = opened->stamp()) entry.stamp = *stamp;
    }
    files_.push_back(std::move(entry));
  }
}

Result<void> UserFiles::read_file(const File& file, ByteRange part,
                                  std::span<std::uint8_t> out) const {
  if (!file.stamp) return Error{ErrorCode::kNotFound, "no readable file " + file.path};
  // Opened anew each time: a torrent may have more files than a process descriptors.
  TRIBUTARY_TRY(opened, DiskFile::open_read(file.path));
  if (auto read = opened.read(part.begin - file.range.begin, out); !read) return read;
  TRIBUTARY_TRY(now, opened.stamp());
  if (now != *file.stamp) return io_error(file.path + " changed while it was shared");
  keep_open(file, std::move(opened));
  return {};
}

void UserFiles::keep_open(const File& file, DiskFile opened) const {
  auto kept = std::make_shared<const DiskFile>(std::move(opened));
  const std::lock_guard lock(mutex_);
  recent_ = &file;
  recent_file_.swap(kept);
}

bool UserFiles::read_cached(BlockIndex block, Bytes skip, std::span<std::uint8_t> out) const {
  const Bytes begin = layout_->block_range(block).begin + skip;
  const Bytes end = begin + Bytes(std::ssize(out));
  const File* file = nullptr;
  std::shared_ptr<const DiskFile> opened;
  {
    const std::lock_guard lock(mutex_);
    file = recent_;
    opened = recent_file_;
  }
  if (!file || begin < file->range.begin || end > file->range.end) return false;
  if (!opened->read_cached(begin - file->range.begin, out)) return false;
  const auto now = opened->stamp();
  return now && *now == *file->stamp;
}

Result<void> UserFiles::read_range(ByteRange range, std::span<std::uint8_t> out) const {
  std::fill(out.begin(), out.end(), std::uint8_t{0});
  auto file = std::partition_point(files_.begin(), files_.end(),
                                   [&](const File& f) { return f.range.end <= range.begin; });
  for (; file != files_.end() && file->range.begin < range.end; ++file) {
    const ByteRange part = intersect(file->range, range);
    const auto at = static_cast<std::size_t>((part.begin - range.begin).count());
    const auto size = static_cast<std::size_t>(part.size().count());
    if (auto read = read_file(*file, part, out.subspan(at, size)); !read) return read;
  }
  return {};
}

Result<void> UserFiles::read(BlockIndex block, std::span<std::uint8_t> out) const {
  return read_range(layout_->block_range(block), out);
}

bool UserFiles::verify(PieceIndex piece, std::vector<Sha256>& leaves) const {
  const BlockIndex first = layout_->blocks_of(piece).begin;
  const auto at = std::partition_point(placements_.begin(), placements_.end(),
                                       [&](const Placement& p) { return p.blocks.end <= first; });
  if (at == placements_.end() || first < at->blocks.begin) return false;
  return at->shape.roots.empty() ? verify_piece(piece) : verify_leaves(piece, *at, leaves);
}

bool UserFiles::verify_leaves(PieceIndex piece, const Placement& placement,
                              std::vector<Sha256>& leaves) const {
  const BlockRange all = layout_->blocks_of(piece);
  std::array<std::uint8_t, kBlock> bytes;
  for (BlockIndex b = all.begin; b < std::min(all.end, placement.blocks.end); ++b) {
    const auto block =
        std::span(bytes).first(static_cast<std::size_t>(layout_->block_range(b).size().count()));
    if (!read(b, block)) return false;
    leaves.push_back(sha256(block));
  }
  const ContentShape& shape = placement.shape;
  const auto root =
      static_cast<std::size_t>((all.begin - placement.blocks.begin) / shape.blocks_per_root);
  const auto width = static_cast<std::size_t>(shape.blocks_per_root);
  return root < shape.roots.size() && leaves.size() <= width &&
         wire::merkle_root(leaves, 0, width, kDigester) == shape.roots[root];
}

bool UserFiles::verify_piece(PieceIndex piece) const {
  const auto index = static_cast<std::size_t>(piece.value());
  if (index >= info_->piece_hashes.size()) return false;
  Sha1Digesting digest;
  std::array<std::uint8_t, kBlock> bytes;
  const ByteRange whole = layout_->piece_range(piece);
  for (Bytes at = whole.begin; at < whole.end; at += core::kBlockSize) {
    const Bytes end = std::min(at + core::kBlockSize, whole.end);
    const auto part = std::span(bytes).first(static_cast<std::size_t>((end - at).count()));
    if (!read_range({at, end}, part)) return false;
    digest.update(part);
  }
  return digest.finish() == info_->piece_hashes[index];
}

}  // namespace tributary::net
