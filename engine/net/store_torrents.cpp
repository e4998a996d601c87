// Torrents and the contents they share: opening, restoring, user files, losing.
#include <algorithm>

#include "engine/net/digests.h"
#include "engine/net/store_impl.h"
#include "engine/wire/merkle.h"

namespace tributary::net {

using core::BlockIndex;
using core::BlockRange;
using core::PieceIndex;
using core::TorrentId;

// Leaf hashes kept of one torrent's user files: 32 MiB, of 16 GiB of blocks.
constexpr std::int32_t kMaxKeptLeaves = 1 << 20;
// Checking the piece layers of a large torrent hashes for a good while, on the pool; those of a
// small one take less than the way there and back, for which a start would wait.
constexpr std::int32_t kPlacedAtOnce = 512;

Store::Impl::OpenTorrent* Store::Impl::find(TorrentId torrent) {
  const auto at = torrents_.find(torrent);
  return at == torrents_.end() || !at->second.ready ? nullptr : &at->second;
}

Store::Impl::PlacedContent Store::Impl::locate(const OpenTorrent& torrent, BlockIndex block) const {
  const auto at = std::partition_point(torrent.places.begin(), torrent.places.end(),
                                       [&](const Place& p) { return p.blocks.end <= block; });
  if (at == torrent.places.end() || block < at->blocks.begin) return {};
  return {at->content, block - at->blocks.begin};
}

Bitfield Store::Impl::available(const OpenTorrent& torrent) const {
  Bitfield out = torrent.in_source;
  for (const Place& place : torrent.places) {
    const Bitfield& have = place.content->have;
    for (int b = have.find_next(0); b != Bitfield::kNone; b = have.find_next(b + 1)) {
      const BlockIndex block = place.blocks.begin + b;
      if (torrent.layout->block_range(block).size() > 0_B) out.set(block.value());
    }
  }
  return out;
}

void Store::Impl::open_torrent(TorrentId torrent, std::shared_ptr<const core::TorrentInfo> info,
                               std::shared_ptr<const core::Layout> layout,
                               std::function<void(Bitfield)> done) {
  const auto [at, fresh] = torrents_.emplace(torrent, OpenTorrent{});
  TRIBUTARY_CHECK(fresh);
  at->second.info = info;
  at->second.layout = layout;
  at->second.in_source = Bitfield(layout->block_count());
  if (layout->piece_count() <= kPlacedAtOnce) {
    return attach(torrent, place_contents(*info, *layout), std::move(done));
  }
  auto placements = std::make_shared<std::vector<Placement>>();
  loop_.work([placements, info = std::move(info),
              layout = std::move(layout)] { *placements = place_contents(*info, *layout); },
             guarded([torrent, placements, done = std::move(done)](Impl& self) {
               self.attach(torrent, std::move(*placements), done);
             }));
}

void Store::Impl::attach(TorrentId torrent, std::vector<Placement> placements,
                         std::function<void(Bitfield)> done) {
  const auto at = torrents_.find(torrent);
  if (at == torrents_.end()) return;
  auto missing = std::make_shared<std::size_t>(placements.size() + 1);
  const auto restored = guarded([torrent, missing, done = std::move(done)](Impl& self) {
    const auto opened = self.torrents_.find(torrent);
    if (--*missing > 0 || opened == self.torrents_.end()) return;
    opened->second.ready = true;
    done(self.available(opened->second));
  });
  for (Placement& placement : placements) {
    const BlockRange blocks = placement.blocks;
    const ContentPtr content = open_content(std::move(placement.shape));
    content->users.push_back({torrent, blocks.begin});
    at->second.places.push_back({blocks, content});
    if (content->restored) {
      loop_.post(restored);
    } else {
      content->on_restored.push_back(restored);
    }
  }
  loop_.post(restored);
}

void Store::Impl::drop(TorrentId torrent) {
  const auto at = torrents_.find(torrent);
  if (at == torrents_.end()) return;
  const OpenTorrent dropped = std::move(at->second);
  torrents_.erase(at);
  for (const Place& place : dropped.places) {
    auto& users = place.content->users;
    std::erase_if(users, [&](const OpenContent::User& u) { return u.torrent == torrent; });
    release_if_unused(place.content);
  }
}

struct Store::Impl::LoadJob {
  ContentPtr content;
  std::shared_ptr<CacheDirectory> directory;
  std::string temp_directory;
  IndexedBlocks restored;
  std::shared_ptr<const DiskFile> file;
  std::optional<Error> error;
};

namespace {

// Blocks whose digests cannot be right are not offered: of a complete v2 piece the leaves must fold
// to the root; of a v1 piece all blocks must be there, since it is checked as a whole.
void keep_provable(const ContentShape& shape, IndexedBlocks& blocks) {
  const auto keep_if = [&](int begin, int end, const auto& good) {
    if (blocks.have.find_next(begin) >= end || blocks.have.find_next(begin) == Bitfield::kNone)
      return;
    if (!good()) {
      for (int b = begin; b < end; ++b) blocks.have.reset(b);
    }
  };
  const auto complete = [&](int begin, int end) {
    const int gap = blocks.have.find_next_clear(begin);
    return gap == Bitfield::kNone || gap >= end;
  };
  if (shape.by_pieces) {
    for (std::int32_t p = 0; p < shape.layout.piece_count(); ++p) {
      const BlockRange range = shape.layout.blocks_of(PieceIndex(p));
      keep_if(range.begin.value(), range.end.value(),
              [&] { return complete(range.begin.value(), range.end.value()); });
    }
    return;
  }
  for (std::size_t r = 0; r < shape.roots.size(); ++r) {
    const int begin = static_cast<int>(r) * shape.blocks_per_root;
    const int end = std::min(begin + shape.blocks_per_root, blocks.have.size());
    keep_if(begin, end, [&] {
      if (!complete(begin, end)) return true;
      const auto leaves =
          std::span(blocks.leaves)
              .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
      return wire::merkle_root(leaves, 0, static_cast<std::size_t>(shape.blocks_per_root),
                               kDigester) == shape.roots[r];
    });
  }
}

}  // namespace

ContentPtr Store::Impl::open_content(ContentShape shape) {
  const std::string key = shape.key;
  ContentPtr& content = contents_[key];
  if (content) return content;
  content = std::make_shared<OpenContent>(++last_serial_, std::move(shape));
  by_serial_[content->serial] = content;
  known_[key].last_use = ++uses_;
  // A temporary file is not made before there is something to put into it.
  content->restored = !directory_;
  if (directory_) load(content);
  return content;
}

void Store::Impl::load(const ContentPtr& content) {
  content->opening = OpenContent::Opening::kUnderWay;
  // The lane keeps order: what this run has changed is in the index before it is read back.
  commit();
  writes_.push(prepared([content](Impl& self) -> std::optional<Lane::Job> {
    auto job = std::make_shared<LoadJob>();
    job->content = content;
    job->directory = self.directory_;
    job->temp_directory = self.options_.temp_directory;
    return Lane::Job{[job] { run_load(*job); },
                     self.guarded([job](Impl& impl) { impl.finish_load(*job); })};
  }));
}

void Store::Impl::run_load(LoadJob& job) {
  const ContentShape& shape = job.content->shape;
  job.restored.have = Bitfield(shape.block_count());
  auto file = job.directory ? DiskFile::open_write(job.directory->data + "/" + shape.key + ".bin")
                            : DiskFile::anonymous(job.temp_directory);
  if (!file) {
    job.error = file.error();
    return;
  }
  job.file = std::make_shared<const DiskFile>(std::move(*file));
  if (!job.directory) return;
  auto blocks = job.directory->index.load(shape.key, shape.block_count());
  if (!blocks) {
    job.error = blocks.error();
    return;
  }
  keep_provable(shape, *blocks);
  job.restored = std::move(*blocks);
}

void Store::Impl::finish_load(LoadJob& job) {
  const ContentPtr& content = job.content;
  if (job.error) report_disk_trouble(*job.error);
  content->opening = OpenContent::Opening::kDone;
  content->file = job.file;
  if (!content->restored) restore(content, std::move(job.restored));
  release_if_unused(content);
}

void Store::Impl::restore(const ContentPtr& content, IndexedBlocks found) {
  content->restored = true;
  content->leaves = std::move(found.leaves);
  Known& known = known_[content->shape.key];
  disk_used_ -= known.size;
  known.size = 0_B;
  for (int b = found.have.find_next(0); b != Bitfield::kNone; b = found.have.find_next(b + 1)) {
    content->have.set(b);
    content->on_disk.set(b);
    content->reserved.set(b);
    known.size += content->block_size(b);
  }
  disk_used_ += known.size;
  counters_.restored_blocks += found.have.count();
  for (const Loop::Task& task : std::exchange(content->on_restored, {})) task();
}

void Store::Impl::release_if_unused(const ContentPtr& content) {
  const bool opening = content->opening == OpenContent::Opening::kUnderWay;
  if (!content->users.empty() || opening || content->pending > 0) return;
  if (contents_.erase(content->shape.key) == 0) return;
  by_serial_.erase(content->serial);
  memory_.erase_content(content->serial);
  nothing_to_evict_ = false;
  Known& known = known_[content->shape.key];
  known.last_use = ++uses_;
  if (directory_ && known.size > 0_B) {
    change_index({IndexChange::Kind::kTouch, content->shape.key, {}, {}, known.last_use});
    evict(options_.disk_limit);
    return;
  }
  disk_used_ -= known.size;
  known_.erase(content->shape.key);
}

// ---------------------------------------------------------------------------------------------
// User files

void Store::Impl::add_source(TorrentId torrent, std::string directory,
                             std::function<void(std::int32_t, std::int32_t)> progress,
                             std::function<void(Bitfield)> done) {
  OpenTorrent* const opened = find(torrent);
  TRIBUTARY_CHECK(opened && !opened->source);
  auto files = std::make_shared<std::shared_ptr<const UserFiles>>();
  loop_.work(
      [files, directory = std::move(directory), info = opened->info, layout = opened->layout] {
        *files = std::make_shared<const UserFiles>(directory, info, layout);
      },
      guarded([=, progress = std::move(progress), done = std::move(done)](Impl& self) {
        OpenTorrent* const still = self.find(torrent);
        if (!still) return;
        still->source = *files;
        self.verify_source(torrent, 0, progress, done);
      }));
}

// One piece per job; the next is queued when it is done, so that dropping the torrent cancels.
void Store::Impl::verify_source(TorrentId torrent, std::int32_t next,
                                std::function<void(std::int32_t, std::int32_t)> progress,
                                std::function<void(Bitfield)> done) {
  verifies_.push(prepared([=, progress = std::move(progress),
                           done = std::move(done)](Impl& self) -> std::optional<Lane::Job> {
    OpenTorrent* const opened = self.find(torrent);
    if (!opened) return std::nullopt;
    const std::int32_t count = opened->layout->piece_count();
    if (next >= count) {
      if (done) done(self.available(*opened));
      return std::nullopt;
    }
    auto good = std::make_shared<bool>(false);
    auto leaves = std::make_shared<std::vector<Sha256>>();
    return Lane::Job{
        [=, files = opened->source] { *good = files->verify(PieceIndex(next), *leaves); },
        self.guarded([=](Impl& impl) {
          if (*good) impl.add_source_piece(torrent, PieceIndex(next), *leaves);
          if (progress && impl.find(torrent)) progress(next + 1, count);
          impl.verify_source(torrent, next + 1, progress, done);
        })};
  }));
}

void Store::Impl::add_source_piece(TorrentId torrent, PieceIndex piece,
                                   std::span<const Sha256> leaves) {
  OpenTorrent* const opened = find(torrent);
  if (!opened) return;
  const BlockRange blocks = opened->layout->blocks_of(piece);
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    if (opened->layout->block_range(b).size() > 0_B) opened->in_source.set(b.value());
  }
  const std::int32_t count = opened->layout->block_count();
  if (leaves.empty() || count > kMaxKeptLeaves) return;
  opened->source_leaves.resize(static_cast<std::size_t>(count));
  std::copy(leaves.begin(), leaves.end(), opened->source_leaves.begin() + blocks.begin.value());
}

std::vector<Sha256> Store::Impl::leaves(TorrentId torrent, BlockRange blocks) const {
  const auto at = torrents_.find(torrent);
  if (at == torrents_.end() || at->second.source_leaves.empty()) return {};
  const OpenTorrent& opened = at->second;
  TRIBUTARY_CHECK(BlockIndex(0) <= blocks.begin && blocks.begin <= blocks.end &&
                  blocks.end <= BlockIndex(opened.layout->block_count()));
  const auto kept = std::span(opened.source_leaves)
                        .subspan(static_cast<std::size_t>(blocks.begin.value()),
                                 static_cast<std::size_t>(blocks.size()));
  for (BlockIndex b = blocks.begin; b < blocks.end; ++b) {
    const Sha256& leaf = kept[static_cast<std::size_t>(b - blocks.begin)];
    if (!opened.in_source.test(b.value()) || leaf.is_zero()) return {};
  }
  return {kept.begin(), kept.end()};
}

// ---------------------------------------------------------------------------------------------
// Losing

void Store::Impl::lose(const ContentPtr& content, std::int32_t block) {
  if (!content->have.reset(block)) return;
  content->checked.reset(block);
  memory_.erase(content->memory_key(block));
  if (content->on_disk.reset(block)) {
    change_index({IndexChange::Kind::kClear, content->shape.key, BlockIndex(block), {}, 0});
  }
  unreserve_disk(*content, block);
  for (const OpenContent::User& user : content->users) {
    const auto at = torrents_.find(user.torrent);
    const BlockIndex lost = user.first + block;
    if (at != torrents_.end() && !at->second.in_source.test(lost.value())) {
      notify_lost(user.torrent, lost);
    }
  }
}

void Store::Impl::lose_source(TorrentId torrent, BlockIndex block) {
  OpenTorrent* const opened = find(torrent);
  if (!opened || !opened->in_source.reset(block.value())) return;
  if (!opened->source_leaves.empty()) {
    opened->source_leaves[static_cast<std::size_t>(block.value())] = {};
  }
  const PlacedContent placed = locate(*opened, block);
  if (!placed.content || !placed.content->have.test(placed.block)) notify_lost(torrent, block);
}

void Store::Impl::notify_lost(TorrentId torrent, BlockIndex block) {
  ++counters_.lost_blocks;
  if (lost_blocks_.empty()) loop_.post(guarded([](Impl& self) { self.deliver_lost(); }));
  lost_blocks_.emplace_back(torrent, block);
}

void Store::Impl::deliver_lost() {
  auto lost = std::exchange(lost_blocks_, {});
  std::sort(lost.begin(), lost.end());
  for (std::size_t i = 0; i < lost.size();) {
    const auto [torrent, first] = lost[i];
    BlockIndex end = first;
    for (; i < lost.size() && lost[i].first == torrent && lost[i].second <= end; ++i) {
      end = lost[i].second + 1;
    }
    if (torrents_.contains(torrent)) lost_(torrent, {first, end});
  }
}

}  // namespace tributary::net
