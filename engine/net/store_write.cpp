// Keeping blocks: memory first, then the disk within its limit, then the index.
#include <algorithm>
#include <filesystem>

#include "engine/net/digests.h"
#include "engine/net/store_impl.h"

namespace tributary::net {
namespace {

using core::BlockIndex;
using core::TorrentId;

// Blocks in one write job: 1 MiB, some milliseconds, so that loads and commits get their turn.
constexpr std::size_t kWriteBatch = 64;
// How long a block on disk may be unknown to the index: what a kill costs at most, beside one job.
constexpr Duration kCommitDelay = 1s;
// Index changes that do not wait for the timer: 16 MiB of blocks.
constexpr std::size_t kCommitBatch = 1024;
// After a failed write, when the disk is tried again: a full disk may have been cleared by then.
constexpr Duration kDiskRetry = 60s;

}  // namespace

void Store::Impl::put(TorrentId torrent, BlockIndex block, Payload bytes, const Sha256& leaf) {
  OpenTorrent* const opened = find(torrent);
  if (!opened) return;
  TRIBUTARY_CHECK(BlockIndex(0) <= block && block < BlockIndex(opened->layout->block_count()));
  const Bytes size = opened->layout->block_range(block).size();
  TRIBUTARY_CHECK(std::ssize(bytes.bytes()) == size.count());
  const auto [content, index] = locate(*opened, block);
  if (!content || size == 0_B || content->have.test(index)) return;
  if (!make_memory_room(size)) return notify_lost(torrent, block);
  if (!disk_off_ && content->opening == OpenContent::Opening::kNotYet) load(content);
  const bool file = content->file || content->opening == OpenContent::Opening::kUnderWay;
  const bool to_disk = !disk_off_ && file && reserve_disk(*content, index);
  memory_.add(content->memory_key(index), std::make_shared<const Payload>(std::move(bytes)),
              to_disk ? Hold::kWriting : Hold::kSole);
  content->have.set(index);
  content->checked.set(index);
  if (!to_disk) return;
  ++content->pending;
  pending_.push_back({content, index, leaf});
  pump_writes();
}

bool Store::Impl::make_memory_room(Bytes needed) {
  return memory_.make_room(needed, options_.memory_limit, true, [this](MemoryKey key) {
    const auto at = by_serial_.find(key.first);
    if (at != by_serial_.end()) lose(at->second, key.second);
  });
}

// ---------------------------------------------------------------------------------------------
// The disk limit

bool Store::Impl::reserve_disk(OpenContent& content, std::int32_t block) {
  const Bytes size = content.block_size(block);
  if (disk_used_ + size > options_.disk_limit && !nothing_to_evict_) {
    evict(options_.disk_limit - size);
    // Until a torrent is dropped, asking again would be in vain.
    nothing_to_evict_ = disk_used_ + size > options_.disk_limit;
  }
  if (disk_used_ + size > options_.disk_limit) return false;
  content.reserved.set(block);
  known_[content.shape.key].size += size;
  disk_used_ += size;
  return true;
}

void Store::Impl::unreserve_disk(OpenContent& content, std::int32_t block) {
  if (!content.reserved.reset(block)) return;
  const Bytes size = content.block_size(block);
  known_[content.shape.key].size -= size;
  disk_used_ -= size;
}

void Store::Impl::evict(Bytes limit) {
  if (disk_used_ <= limit) return;
  std::vector<core::CacheEntry> entries;
  std::vector<std::string> keys;
  for (const auto& [key, known] : known_) {
    entries.push_back({known.last_use, known.size, contents_.contains(key)});
    keys.push_back(key);
  }
  for (const std::size_t i : options_.eviction(entries, limit)) {
    TRIBUTARY_CHECK(i < entries.size() && !entries[i].in_use);
    disk_used_ -= entries[i].size;
    known_.erase(keys[i]);
    ++counters_.evicted_contents;
    if (!directory_) continue;
    unlinks_.push_back(directory_->data + "/" + keys[i] + ".bin");
    change_index({IndexChange::Kind::kRemove, keys[i], {}, {}, 0});
  }
}

// ---------------------------------------------------------------------------------------------
// Writing

struct Store::Impl::WriteItem {
  ContentPtr content;
  std::int32_t block = 0;
  BlockBytes bytes;
  std::shared_ptr<const DiskFile> file;
  Bytes offset;
  bool written = false;
  Sha256 leaf;
};

struct Store::Impl::WriteJob {
  std::vector<WriteItem> items;
  bool digest = false;
  std::optional<Error> error;
};

void Store::Impl::pump_writes() {
  if (write_scheduled_ || pending_.empty()) return;
  write_scheduled_ = true;
  writes_.push(prepared([](Impl& self) { return self.next_write(); }));
}

std::optional<Lane::Job> Store::Impl::next_write() {
  auto job = std::make_shared<WriteJob>();
  job->digest = directory_ != nullptr;
  while (!pending_.empty() && job->items.size() < kWriteBatch) {
    // Its file is opened next on the lane, behind which pump_writes() comes again.
    if (pending_.front().content->opening == OpenContent::Opening::kUnderWay) break;
    const PendingWrite next = std::move(pending_.front());
    pending_.pop_front();
    const ContentPtr& content = next.content;
    if (!content->file || disk_off_) {
      keep_in_memory_only(content, next.block);
      continue;
    }
    job->items.push_back(
        {content, next.block, memory_.find(content->memory_key(next.block)), content->file,
         content->shape.layout.block_range(BlockIndex(next.block)).begin, false, next.leaf});
  }
  if (job->items.empty()) {
    write_scheduled_ = false;
    pump_writes();
    return std::nullopt;
  }
  return Lane::Job{[job] { run_write(*job); },
                   guarded([job](Impl& self) { self.finish_write(*job); })};
}

void Store::Impl::run_write(WriteJob& job) {
  for (WriteItem& item : job.items) {
    const auto bytes = item.bytes->bytes();
    if (auto wrote = item.file->write(item.offset, bytes); !wrote) {
      job.error = wrote.error();
      return;
    }
    // What is checked by pieces is not looked up by leaf.
    const bool digest = job.digest && !item.content->shape.by_pieces;
    if (digest && item.leaf.is_zero()) item.leaf = sha256(bytes);
    item.written = true;
  }
}

void Store::Impl::finish_write(WriteJob& job) {
  for (const WriteItem& item : job.items) {
    const ContentPtr& content = item.content;
    if (!item.written) {
      keep_in_memory_only(content, item.block);
      continue;
    }
    content->on_disk.set(item.block);
    if (directory_) {
      change_index(
          {IndexChange::Kind::kMark, content->shape.key, BlockIndex(item.block), item.leaf, 0});
    }
    --content->pending;
    memory_.written(content->memory_key(item.block), Hold::kCopy);
    release_if_unused(content);
  }
  if (job.error) disk_failed(*job.error);
  write_scheduled_ = false;
  pump_writes();
}

void Store::Impl::keep_in_memory_only(const ContentPtr& content, std::int32_t block) {
  unreserve_disk(*content, block);
  --content->pending;
  memory_.written(content->memory_key(block), Hold::kSole);
  release_if_unused(content);
}

void Store::Impl::disk_failed(const Error& error) {
  report_disk_trouble(error);
  disk_off_ = true;
  retry_timer_.start(loop_.now() + kDiskRetry, [this] { disk_off_ = false; });
}

// ---------------------------------------------------------------------------------------------
// The index

void Store::Impl::change_index(IndexChange change) {
  if (!directory_) return;
  changes_.push_back(std::move(change));
  if (changes_.size() >= kCommitBatch) return commit();
  if (!commit_timer_.active())
    commit_timer_.start(loop_.now() + kCommitDelay, [this] { commit(); });
}

void Store::Impl::commit() {
  if (!directory_ || changes_.empty()) return;
  commit_timer_.stop();
  // Contents that gained blocks have been used; this also dates those new to the index.
  std::vector<std::string> marked;
  for (const IndexChange& c : changes_) {
    if (c.kind != IndexChange::Kind::kMark) continue;
    if (marked.empty() || marked.back() != c.key) marked.push_back(c.key);
  }
  std::sort(marked.begin(), marked.end());
  marked.erase(std::unique(marked.begin(), marked.end()), marked.end());
  for (const std::string& key : marked) {
    if (const auto known = known_.find(key); known != known_.end()) {
      changes_.push_back({IndexChange::Kind::kTouch, key, {}, {}, known->second.last_use});
    }
  }
  struct CommitJob {
    std::shared_ptr<CacheDirectory> directory;
    std::vector<IndexChange> changes;
    std::vector<std::string> unlinks;
    std::optional<Error> error;
  };
  auto job = std::make_shared<CommitJob>(CommitJob{directory_, std::exchange(changes_, {}),
                                                   std::exchange(unlinks_, {}), std::nullopt});
  const auto run = [job] {
    if (auto applied = job->directory->index.apply(job->changes); !applied) {
      job->error = applied.error();
    }
    // After the rows: a file without a row is swept at the next start, a row without a file would
    // promise blocks in vain.
    std::error_code ignored;
    for (const std::string& path : job->unlinks) std::filesystem::remove(path, ignored);
  };
  const auto done = guarded([job](Impl& self) {
    if (job->error) self.report_disk_trouble(*job->error);
  });
  writes_.push([run, done]() -> std::optional<Lane::Job> { return Lane::Job{run, done}; });
}

void Store::Impl::drop_all() {
  while (!torrents_.empty()) drop(torrents_.begin()->first);
}

void Store::Impl::flush(Loop::Task done) {
  pump_writes();
  writes_.push(prepared([done = std::move(done)](Impl& self) -> std::optional<Lane::Job> {
    if (!self.pending_.empty() || self.write_scheduled_) {
      self.flush(done);
      return std::nullopt;
    }
    self.commit();
    self.writes_.push([done]() -> std::optional<Lane::Job> { return done(), std::nullopt; });
    return std::nullopt;
  }));
}

StoreStats Store::Impl::stats() const {
  StoreStats out = counters_;
  out.in_memory = memory_.size();
  out.on_disk = disk_used_;
  out.pending_writes = memory_.writing_size();
  out.disk_limit = options_.disk_limit;
  out.open_contents = static_cast<std::int32_t>(contents_.size());
  out.disk_ok = !disk_off_;
  return out;
}

}  // namespace tributary::net
