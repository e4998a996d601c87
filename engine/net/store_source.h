// User files laid out as a torrent says, read and verified but never written.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/core/layout.h"
#include "engine/core/torrent_info.h"
#include "engine/net/disk_file.h"
#include "engine/net/store_content.h"

namespace tributary::net {

// Any thread; immutable once built, but for the file last read, which stays open. Building reads
// the files' sizes and so may block.
class UserFiles {
 public:
  // Files that cannot be opened are as if absent.
  UserFiles(const std::string& directory, std::shared_ptr<const core::TorrentInfo> info,
            std::shared_ptr<const core::Layout> layout);

  // Hashes one piece against the metainfo: v2 where its layers are known, else v1.
  // `leaves` gets the piece's proven leaf hashes, one per block with data; nothing without v2.
  bool verify(core::PieceIndex piece, std::vector<Sha256>& leaves) const;
  // The block's bytes. Fails when a file of it changed since construction. REQUIRES: out.size() is
  // the layout's size of the block.
  Result<void> read(core::BlockIndex block, std::span<std::uint8_t> out) const;
  // Bytes of the block from `skip` on, when they lie in the file last read and the system has them
  // in memory; never waits for the disk. False also when the file changed.
  bool read_cached(core::BlockIndex block, Bytes skip, std::span<std::uint8_t> out) const;

 private:
  struct File {
    std::string path;
    ByteRange range;
    std::optional<DiskFile::Stamp> stamp;  // absent: unreadable
  };
  Result<void> read_range(ByteRange range, std::span<std::uint8_t> out) const;
  Result<void> read_file(const File& file, ByteRange part, std::span<std::uint8_t> out) const;
  bool verify_leaves(core::PieceIndex piece, const Placement& placement,
                     std::vector<Sha256>& leaves) const;
  void keep_open(const File& file, DiskFile opened) const;
  bool verify_piece(core::PieceIndex piece) const;

  std::shared_ptr<const core::TorrentInfo> info_;
  std::shared_ptr<const core::Layout> layout_;
  std::vector<Placement> placements_;
  std::vector<File> files_;  // those that hold data, ascending

  mutable std::mutex mutex_;  // guards the two below; held for no longer than copying them
  mutable const File* recent_ = nullptr;
  mutable std::shared_ptr<const DiskFile> recent_file_;
};

// How far a block's extent in its piece goes: its data and the padding after it, which v1 hashes.
Bytes block_extent(const core::Layout& layout, core::BlockIndex block);

}  // namespace tributary::net
