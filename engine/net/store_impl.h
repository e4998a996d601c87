// The inside of Store; included by store*.cpp only.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/net/cache_index.h"
#include "engine/net/disk_file.h"
#include "engine/net/store.h"
#include "engine/net/store_content.h"
#include "engine/net/store_lane.h"
#include "engine/net/store_memory.h"
#include "engine/net/store_source.h"
#include "engine/net/timer.h"

namespace tributary::net {

// One content in use. Loop thread, apart from `shape` and `file`, which do not change once set.
// Invariants: on_disk ⊆ have; checked ⊆ have; a block of `have` that is not on disk is in memory;
// the `pending` blocks are held in memory as writing.
struct OpenContent {
  OpenContent(std::uint32_t number, ContentShape s)
      : serial(number),
        shape(std::move(s)),
        have(shape.block_count()),
        on_disk(shape.block_count()),
        checked(shape.block_count()),
        reserved(shape.block_count()) {}

  struct User {
    core::TorrentId torrent;
    core::BlockIndex first;  // the content's block 0 in the torrent
  };

  const std::uint32_t serial;
  const ContentShape shape;
  Bitfield have;
  Bitfield on_disk;
  Bitfield checked;            // verified in this run: put, or re-hashed
  Bitfield reserved;           // counted against the disk limit
  std::vector<Sha256> leaves;  // of restored v2 blocks
  // What the cache has of it is known; without a cache directory, at once.
  bool restored = false;
  std::vector<Loop::Task> on_restored;
  // Once wanted, the file is opened on the write lane, ahead of the blocks that are put; null
  // before and when the disk failed.
  enum class Opening { kNotYet, kUnderWay, kDone } opening = Opening::kNotYet;
  std::shared_ptr<const DiskFile> file;
  std::int32_t pending = 0;  // blocks on their way to the disk
  std::vector<User> users;

  Bytes block_size(std::int32_t block) const {
    return shape.layout.block_range(core::BlockIndex(block)).size();
  }
  MemoryKey memory_key(std::int32_t block) const { return {serial, block}; }
};
using ContentPtr = std::shared_ptr<OpenContent>;

// What the write lane works with, one job at a time. Outlives the store while a job runs.
struct CacheDirectory {
  std::string data;
  DirectoryLock lock;
  CacheIndex index;
};

class Store::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Loop& loop, StoreOptions options, LostHandler lost);
  Result<void> use_directory();  // blocks
  void choose_limit();
  void report_disk_trouble(const Error& error);  // once
  void evict(Bytes limit);

  void open_torrent(core::TorrentId, std::shared_ptr<const core::TorrentInfo>,
                    std::shared_ptr<const core::Layout>, std::function<void(Bitfield)>);
  void add_source(core::TorrentId, std::string, std::function<void(std::int32_t, std::int32_t)>,
                  std::function<void(Bitfield)>);
  void put(core::TorrentId, core::BlockIndex, Payload, const Sha256& leaf);
  bool try_read(core::TorrentId, ByteRange, std::span<std::uint8_t>);
  bool try_read_now(core::TorrentId, ByteRange, std::span<std::uint8_t>);
  std::vector<Sha256> leaves(core::TorrentId, core::BlockRange) const;
  void read(core::TorrentId, ByteRange, ReadDone);
  void read(core::TorrentId, const core::BlockSpan&, ReadDone);
  void drop(core::TorrentId);
  void drop_all();
  void flush(Loop::Task done);
  StoreStats stats() const;
  Bytes pending_writes() const { return memory_.writing_size(); }
  Loop& loop() { return loop_; }

 private:
  struct Place {
    core::BlockRange blocks;
    ContentPtr content;
  };
  struct OpenTorrent {
    std::shared_ptr<const core::TorrentInfo> info;
    std::shared_ptr<const core::Layout> layout;
    std::vector<Place> places;  // ascending
    std::shared_ptr<const UserFiles> source;
    Bitfield in_source;                 // verified blocks of user files
    std::vector<Sha256> source_leaves;  // by block, zero where unknown; empty until the first
    bool ready = false;
  };
  // A content on disk, in use or not.
  struct Known {
    std::uint64_t last_use = 0;
    Bytes size;
  };
  struct PendingWrite {
    ContentPtr content;
    std::int32_t block;
    Sha256 leaf;
  };
  struct WriteItem;
  struct WriteJob;
  struct LoadJob;
  struct ReadPart;
  struct ReadJob;
  struct PlacedContent {
    ContentPtr content;
    std::int32_t block = -1;
  };

  template <class F>
  auto guarded(F f) {  // f(impl, args…), unless the store is gone
    return [weak = weak_from_this(), f = std::move(f)](auto&&... args) mutable {
      if (const auto self = weak.lock()) f(*self, std::forward<decltype(args)>(args)...);
    };
  }
  template <class F>
  Lane::Prepare prepared(F f) {  // f(impl) → std::optional<Lane::Job>
    return [weak = weak_from_this(), f = std::move(f)]() -> std::optional<Lane::Job> {
      const auto self = weak.lock();
      return self ? f(*self) : std::nullopt;
    };
  }
  void log(LogLevel level, const std::string& text) const;

  // store_torrents.cpp
  OpenTorrent* find(core::TorrentId torrent);
  PlacedContent locate(const OpenTorrent& torrent, core::BlockIndex block) const;
  Bitfield available(const OpenTorrent& torrent) const;
  void attach(core::TorrentId torrent, std::vector<Placement> placements,
              std::function<void(Bitfield)> done);
  ContentPtr open_content(ContentShape shape);
  void load(const ContentPtr& content);
  static void run_load(LoadJob& job);
  void finish_load(LoadJob& job);
  void restore(const ContentPtr& content, IndexedBlocks found);
  void release_if_unused(const ContentPtr& content);
  void verify_source(core::TorrentId torrent, std::int32_t next,
                     std::function<void(std::int32_t, std::int32_t)> progress,
                     std::function<void(Bitfield)> done);
  void lose(const ContentPtr& content, std::int32_t block);
  void lose_source(core::TorrentId torrent, core::BlockIndex block);
  void add_source_piece(core::TorrentId torrent, core::PieceIndex piece,
                        std::span<const Sha256> leaves);
  void notify_lost(core::TorrentId torrent, core::BlockIndex block);
  void deliver_lost();

  // store_write.cpp
  bool make_memory_room(Bytes needed);
  bool reserve_disk(OpenContent& content, std::int32_t block);
  void unreserve_disk(OpenContent& content, std::int32_t block);
  void pump_writes();
  std::optional<Lane::Job> next_write();
  static void run_write(WriteJob& job);
  void finish_write(WriteJob& job);
  void keep_in_memory_only(const ContentPtr& content, std::int32_t block);
  void disk_failed(const Error& error);
  void change_index(IndexChange change);
  void commit();
  std::optional<Lane::Job> next_commit();

  // store_read.cpp
  bool is_readable(const OpenTorrent& torrent, ByteRange range) const;
  std::optional<ReadPart> part_of(core::TorrentId torrent, const OpenTorrent& opened,
                                  core::BlockIndex block, ByteRange range);
  bool gather(core::TorrentId torrent, ByteRange range, std::span<std::uint8_t> out,
              bool page_cache);
  static bool read_cached(const ReadPart& part, std::span<std::uint8_t> out);
  std::optional<Lane::Job> next_read(core::TorrentId torrent, ByteRange range,
                                     const ReadDone& done);
  static void run_read(ReadJob& job);
  static void read_block(ReadPart& part);
  static void read_piece(std::span<ReadPart> parts);
  void finish_read(ReadJob& job);
  void finish_part(const ReadPart& part);
  void finish_piece(const ReadPart& part);
  void answer(ReadDone done, Result<std::vector<std::uint8_t>> result);

  Loop& loop_;
  StoreOptions options_;
  LostHandler lost_;
  std::shared_ptr<CacheDirectory> directory_;  // null: temporary files
  Lane writes_{loop_, 1};
  Lane reads_{loop_, 2};
  Lane verifies_{loop_, 1};  // of user files, which may take minutes
  Timer commit_timer_{loop_};
  Timer retry_timer_{loop_};

  std::map<core::TorrentId, OpenTorrent> torrents_;
  std::map<std::string, ContentPtr> contents_;
  std::map<std::uint32_t, ContentPtr> by_serial_;
  std::map<std::string, Known> known_;
  MemoryBlocks memory_;
  std::deque<PendingWrite> pending_;
  std::vector<IndexChange> changes_;
  std::vector<std::string> unlinks_;  // data files to remove after the next commit
  std::vector<std::pair<core::TorrentId, core::BlockIndex>> lost_blocks_;
  Bytes disk_used_;
  std::uint64_t uses_ = 0;  // the clock of last_use
  std::uint32_t last_serial_ = 0;
  bool write_scheduled_ = false;
  bool disk_off_ = false;  // until the retry timer
  bool reported_ = false;  // disk trouble was logged
  bool nothing_to_evict_ = false;
  StoreStats counters_;
};

}  // namespace tributary::net
