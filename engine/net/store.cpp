#include "engine/net/store.h"

#include <algorithm>
#include <filesystem>
#include <future>

#include "engine/net/store_impl.h"

namespace tributary::net {

using core::BlockIndex;
using core::TorrentId;

// ---------------------------------------------------------------------------------------------
// Opening

namespace {

// Data files that the index does not know: a kill came between removing the row and the file, or
// before the first commit.
void remove_orphans(const std::string& data, const std::vector<IndexedContent>& known) {
  std::error_code error;
  std::vector<std::filesystem::path> orphans;
  for (std::filesystem::directory_iterator at(data, error), end; !error && at != end;
       at.increment(error)) {
    const std::string stem = at->path().stem().string();
    if (at->path().extension() != ".bin" || !is_content_key(stem)) continue;
    const auto same = [&](const IndexedContent& c) { return c.key == stem && c.blocks > 0; };
    if (std::none_of(known.begin(), known.end(), same)) orphans.push_back(at->path());
  }
  for (const auto& path : orphans) std::filesystem::remove(path, error);
}

}  // namespace

Store::Impl::Impl(Loop& loop, StoreOptions options, LostHandler lost)
    : loop_(loop), options_(std::move(options)), lost_(std::move(lost)) {
  TRIBUTARY_CHECK(options_.eviction && lost_);
  TRIBUTARY_CHECK(options_.disk_limit > 0_B || options_.default_limit);
}

Result<void> Store::Impl::use_directory() {
  const std::string& root = options_.cache_directory;
  const std::string data = root + "/data";
  if (auto made = make_directories(data); !made) return made;
  TRIBUTARY_TRY(lock, DirectoryLock::take(root));
  TRIBUTARY_TRY(index, CacheIndex::open(root + "/index.sqlite", options_.log));
  TRIBUTARY_TRY(contents, index.list());
  remove_orphans(data, contents);
  for (const IndexedContent& content : contents) {
    if (!is_content_key(content.key)) continue;
    const Bytes size = core::kBlockSize * content.blocks;
    known_[content.key] = {content.last_use, size};
    disk_used_ += size;
    uses_ = std::max(uses_, content.last_use);
  }
  directory_ =
      std::make_shared<CacheDirectory>(CacheDirectory{data, std::move(lock), std::move(index)});
  return {};
}

void Store::Impl::choose_limit() {
  if (options_.disk_limit > 0_B) return;
  const std::string& where = directory_ ? directory_->data : options_.temp_directory;
  options_.disk_limit = options_.default_limit(free_space(where) + disk_used_);
}

Result<std::unique_ptr<Store>> Store::open(Loop& loop, StoreOptions options, LostHandler lost) {
  const bool cached = !options.cache_directory.empty();
  auto impl = std::make_shared<Impl>(loop, std::move(options), std::move(lost));
  if (cached) {
    if (const auto used = impl->use_directory(); !used) {
      const Error& error = used.error();
      if (error.code == ErrorCode::kLimit || error.code == ErrorCode::kUnsupported) return error;
      impl->report_disk_trouble(error);
    }
  }
  impl->choose_limit();
  impl->evict(impl->stats().disk_limit);
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

void Store::Impl::log(LogLevel level, const std::string& text) const {
  if (options_.log) options_.log(level, text);
}

void Store::Impl::report_disk_trouble(const Error& error) {
  if (std::exchange(reported_, true)) return;
  const bool cached = !options_.cache_directory.empty();
  const std::string& where = cached ? options_.cache_directory : options_.temp_directory;
  std::string text = error.message;
  if (text.find(where) == std::string::npos)
    text = where + ": " + text;  // or it names a file there
  log(LogLevel::kWarning, text + "; playback goes on from memory");
}

// ---------------------------------------------------------------------------------------------
// The public face

Store::Store(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() = default;

void Store::open_torrent(TorrentId torrent, std::shared_ptr<const core::TorrentInfo> info,
                         std::shared_ptr<const core::Layout> layout,
                         std::function<void(Bitfield)> done) {
  impl_->open_torrent(torrent, std::move(info), std::move(layout), std::move(done));
}
void Store::add_source(TorrentId torrent, std::string directory,
                       std::function<void(std::int32_t, std::int32_t)> progress,
                       std::function<void(Bitfield)> done) {
  impl_->add_source(torrent, std::move(directory), std::move(progress), std::move(done));
}
void Store::put(TorrentId torrent, BlockIndex block, std::span<const std::uint8_t> bytes) {
  impl_->put(torrent, block, std::vector<std::uint8_t>(bytes.begin(), bytes.end()), {});
}
void Store::put(TorrentId torrent, BlockIndex block, BufferRef bytes, const Sha256& leaf) {
  impl_->put(torrent, block, std::move(bytes), leaf);
}
bool Store::try_read(TorrentId torrent, ByteRange range, std::span<std::uint8_t> out) {
  return impl_->try_read(torrent, range, out);
}
bool Store::try_read_now(TorrentId torrent, ByteRange range, std::span<std::uint8_t> out) {
  return impl_->try_read_now(torrent, range, out);
}
std::vector<Sha256> Store::leaves(TorrentId torrent, core::BlockRange blocks) const {
  return impl_->leaves(torrent, blocks);
}
void Store::read(TorrentId torrent, ByteRange range, ReadDone done) {
  impl_->read(torrent, range, std::move(done));
}
void Store::read(TorrentId torrent, const core::BlockSpan& span, ReadDone done) {
  impl_->read(torrent, span, std::move(done));
}
void Store::drop(TorrentId torrent) { impl_->drop(torrent); }
void Store::flush(std::function<void()> done) { impl_->flush(std::move(done)); }
void Store::close(std::function<void()> done) {
  impl_->drop_all();
  impl_->flush(std::move(done));
}
StoreStats Store::stats() const { return impl_->stats(); }
Bytes Store::pending_writes() const { return impl_->pending_writes(); }

// ---------------------------------------------------------------------------------------------
// Other threads

class StoreReader::Access {
 public:
  Access(Loop& loop, std::weak_ptr<Store::Impl> impl) : loop_(loop), impl_(std::move(impl)) {}

  // The implementation is only ever locked on the loop thread, so that it is never destroyed on
  // another.
  void read(TorrentId torrent, ByteRange range, ReadDone done) {
    loop_.post([impl = impl_, torrent, range, done = std::move(done)] {
      if (const auto store = impl.lock()) store->read(torrent, range, done);
    });
  }

 private:
  Loop& loop_;
  std::weak_ptr<Store::Impl> impl_;
};

StoreReader Store::reader() const {
  StoreReader out;
  out.access_ = std::make_shared<StoreReader::Access>(impl_->loop(), impl_);
  return out;
}

void StoreReader::read(TorrentId torrent, ByteRange range, ReadDone done) const {
  access_->read(torrent, range, std::move(done));
}

Result<std::vector<std::uint8_t>> StoreReader::read_blocking(TorrentId torrent, ByteRange range,
                                                             Duration limit) const {
  using Bytes = Result<std::vector<std::uint8_t>>;
  auto promise = std::make_shared<std::promise<Bytes>>();
  auto future = promise->get_future();
  access_->read(torrent, range, [promise](Bytes bytes) { promise->set_value(std::move(bytes)); });
  promise.reset();
  if (future.wait_for(limit) != std::future_status::ready) {
    return Error{ErrorCode::kCancelled, "the store did not answer in time"};
  }
  try {
    return future.get();
  } catch (const std::future_error&) {  // the callback was dropped: the store is gone
    return Error{ErrorCode::kCancelled, "the store is closed"};
  }
}

}  // namespace tributary::net
