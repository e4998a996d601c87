// The store: verified blocks, in memory and on disk. It carries out the actions Store and
// SendBlock, answers the media reader, and remembers across runs.
//
// Threads: everything is called on the loop thread and never blocks, except Store::open and
// StoreReader. Disk, hashing and SQLite run on the thread pool in two lanes: writes and the index
// one at a time in order, reads two at a time, so that an fsync delays neither the loop nor a
// reader. Callbacks and events run on the loop thread, never within the call that caused them; none
// runs after the store is destroyed.
//
// What holds whatever happens:
// - A block that is read was verified before put(), or was re-hashed after the restart before its
//   first use: v2 blocks against their leaf, which for complete pieces must fold to the metainfo's
//   piece root; v1 pieces against the metainfo's piece hash. A mismatch is reported as lost, never
//   delivered.
// - The index names a block only after its pwrite returned. That is enough for kill -9, which the
// page
//   cache survives; a power loss may lose either, and the re-hash finds out.
// - Memory is bounded by memory_limit, disk by disk_limit.
// - Disk trouble is not playback trouble: new blocks then live in memory only, the oldest give way
// and
//   are reported as lost.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/base/bitfield.h"
#include "engine/base/log.h"
#include "engine/base/result.h"
#include "engine/base/units.h"
#include "engine/core/cache_entry.h"
#include "engine/core/ids.h"
#include "engine/core/layout.h"
#include "engine/core/torrent_info.h"
#include "engine/net/buffer_pool.h"
#include "engine/net/loop.h"

namespace tributary::net {

// One read asks for at most this much: two hundred blocks, far above any demuxer's or peer's wish.
inline constexpr Bytes kMaxStoreRead = 4_MiB;

struct StoreOptions {
  // DIR/index.sqlite, DIR/data/<content>.bin and DIR/lock. Empty: nothing is remembered, and what
  // does not fit memory goes to files without names in `temp_directory`, one per content, which
  // vanish with the process. That keeps memory bounded where the whole track would not fit.
  std::string cache_directory;
  std::string temp_directory = "/var/tmp";  // not /tmp, which is often memory itself
  // 64 MiB: 25 s of 20 Mbit/s video, or several tracks of music.
  Bytes memory_limit = 64_MiB;
  // Of cache directory or temporary files. Zero: default_limit of the free disk, what the cache
  // holds counted as free; prefetch::default_cache_limit. One of the two is required.
  Bytes disk_limit;
  std::function<Bytes(Bytes free)> default_limit;
  core::EvictionPolicy eviction;  // required; prefetch::least_recently_used
  LogSink log;                    // called on the loop thread, or by open(); may be empty
};

struct StoreStats {
  Bytes in_memory;
  Bytes on_disk;         // blocks on disk or on their way to it, each content once
  Bytes pending_writes;  // part of in_memory
  Bytes disk_limit;
  std::int32_t open_contents = 0;
  std::int64_t restored_blocks = 0;
  std::int64_t lost_blocks = 0;
  std::int64_t failed_checks = 0;  // re-hashed after a restart and found different
  std::int64_t evicted_contents = 0;
  bool disk_ok = true;  // false: new blocks stay in memory for now
};

// Not a hash failure of any peer. To become the input BlocksLost.
using LostHandler = std::function<void(core::TorrentId, core::BlockRange)>;

// kNotFound: some of the bytes are not stored (or no longer); kLimit: too long, or too many reads
// wait; kInvalid: outside the torrent; kIo.
using ReadDone = std::function<void(Result<std::vector<std::uint8_t>>)>;

// A handle for other threads. Copyable; outlives the store (reads then fail with kCancelled), but
// not the loop.
class StoreReader {
 public:
  // Any thread. `done` runs on the loop thread, or not at all when the store goes first.
  void read(core::TorrentId torrent, ByteRange range, ReadDone done) const;
  // Any thread but the loop's: waits until the bytes are there, at most `limit`. kCancelled when
  // the time is up or the store is gone.
  Result<std::vector<std::uint8_t>> read_blocking(core::TorrentId torrent, ByteRange range,
                                                  Duration limit) const;

 private:
  friend class Store;
  class Access;
  std::shared_ptr<Access> access_;
};

class Store {
 public:
  // Blocks: opens and recovers the index; call it before the loop carries traffic. REQUIRES: the
  // loop outlives the store. A directory that cannot be used is logged, and the store runs as if
  // none were given. Errors: kLimit when another process uses the cache directory; kUnsupported
  // when a newer version wrote it.
  static Result<std::unique_ptr<Store>> open(Loop& loop, StoreOptions options, LostHandler lost);
  // What is not yet on disk is dropped, as by kill -9; see close().
  ~Store();

  // `done` gets the blocks that can be read. Blocks that are all padding are never set. Not called
  // when the torrent is dropped first. REQUIRES: an id not open here; layout is info's.
  void open_torrent(core::TorrentId torrent, std::shared_ptr<const core::TorrentInfo> info,
                    std::shared_ptr<const core::Layout> layout, std::function<void(Bitfield)> done);
  // Lets the torrent's user files in `directory` be read too: directory/name for a single file,
  // directory/name/path else. They are hashed first, piece by piece; missing, short and wrong files
  // only cost their pieces. They are never written. A file that changes later is lost for this run.
  // `progress` gets pieces done and pieces in all, after each. `done` gets all blocks that can be
  // read. drop() cancels. REQUIRES: open_torrent() is done, and no second source.
  void add_source(core::TorrentId torrent, std::string directory,
                  std::function<void(std::int32_t, std::int32_t)> progress,
                  std::function<void(Bitfield)> done);

  // Keeps a verified block (action Store); readable at once. The bytes are copied. A block of a
  // torrent with v2 hashes must have been verified through them, since contents are shared by v2
  // root. When memory is full of blocks that the disk is slow to take, the block is refused:
  // reported as lost. REQUIRES: bytes.size() is the layout's size of the block. Ignored for a
  // torrent that is not open.
  void put(core::TorrentId torrent, core::BlockIndex block, std::span<const std::uint8_t> bytes);
  // The same without a copy: the buffer is held as long as the block is in memory. `leaf` is the
  // SHA-256 of the bytes where verification told it; zero: the index computes it if it needs one.
  void put(core::TorrentId torrent, core::BlockIndex block, BufferRef bytes, const Sha256& leaf);

  // Copies from memory only; false when a byte is not there. Padding reads as zeros. REQUIRES:
  // out.size() == range.size().
  bool try_read(core::TorrentId torrent, ByteRange range, std::span<std::uint8_t> out);
  // The same, and from the system's page cache too where the blocks were verified in this run: all
  // that needs neither waiting nor another thread. When false, use read(). For requests of a few
  // blocks, since the copy is made on the loop thread.
  bool try_read_now(core::TorrentId torrent, ByteRange range, std::span<std::uint8_t> out);
  // The v2 leaf hashes of these blocks, as they were proved against the metainfo when user files
  // were verified; empty when they are not all known. Kept for blocks that are still offered, of
  // torrents up to 16 GiB. REQUIRES: blocks within the torrent.
  std::vector<Sha256> leaves(core::TorrentId torrent, core::BlockRange blocks) const;
  // Torrent space; padding reads as zeros.
  void read(core::TorrentId torrent, ByteRange range, ReadDone done);
  // A peer's request (action SendBlock); need not lie on block boundaries, must lie in its piece.
  void read(core::TorrentId torrent, const core::BlockSpan& span, ReadDone done);
  StoreReader reader() const;

  // Forgets the torrent; what is stored of it stays in the cache directory and may be evicted.
  void drop(core::TorrentId torrent);

  // `done` is called when all that was put before is on disk and in the index, as far as the disk
  // allows. Before a clean end: close() and wait for it, then destroy.
  void flush(std::function<void()> done);
  void close(std::function<void()> done);

  StoreStats stats() const;
  Bytes pending_writes() const;  // as in stats()

 private:
  friend class StoreReader;
  class Impl;
  explicit Store(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace tributary::net
