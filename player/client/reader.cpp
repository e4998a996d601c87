#include "player/client/reader.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/base/check.h"

namespace tributary::player {
namespace {

// Taken from the store at once: some dozen blocks, so that the way between the threads is paid
// rarely.
constexpr Bytes kChunk = 256_KiB;
// The first after a start or seek is small: a demuxer may want a header only.
constexpr Bytes kFirstChunk = 64_KiB;
// Taken from the store ahead of the reader, so that it need not wait for the other thread.
constexpr Bytes kAhead = 2 * kChunk;
// How far a reader goes on before the node is told.
constexpr Bytes kTellEvery = 32_KiB;
// Seeks are counted, and the first read is one.
constexpr std::uint64_t kFirstPlace = 1;

Error cancelled_error() { return Error{ErrorCode::kCancelled, "reading was cancelled"}; }

}  // namespace

// The loop's side of all readers of a host. Readers on other threads reach it as long as it is
// there.
class Readers::Desk : public std::enable_shared_from_this<Desk> {
 public:
  Desk(net::Loop& loop, Host& host) : loop_(&loop), host_(host) {}

  // Any thread. Whether the task will run.
  bool post(std::function<void(Host&)> task) {
    const std::lock_guard lock(mutex_);
    if (loop_ == nullptr) return false;
    loop_->post([self = shared_from_this(), task = std::move(task)] {
      if (self->open_) task(self->host_);
    });
    return true;
  }
  core::ReaderId next_id() { return core::ReaderId(++last_id_); }

  // Loop thread.
  void add(core::ReaderId id, std::weak_ptr<Reader::State> reader) {
    readers_[id] = std::move(reader);
  }
  void remove(core::ReaderId id) { readers_.erase(id); }
  void close();

 private:
  std::mutex mutex_;
  net::Loop* loop_;  // none once closed
  Host& host_;
  bool open_ = true;                                                // loop thread
  std::map<core::ReaderId, std::weak_ptr<Reader::State>> readers_;  // loop thread
  std::atomic<std::uint64_t> last_id_ = 0;
};

// Tracks: under the lock, the bytes that were taken from the store and not yet by the reader, the
// place they follow, and what stands in the way; on the loop thread, what the node was told.
// Invariant: at most one read of the store is under way; what belongs to a place that was left
// (`place` says which) is dropped when it comes.
class Reader::State : public std::enable_shared_from_this<State> {
 public:
  State(std::shared_ptr<Readers::Desk> desk, const core::Metainfo& metainfo, core::FileIndex file,
        ReaderOptions options)
      : desk_(std::move(desk)),
        id_(desk_->next_id()),
        file_(file),
        range_(metainfo.info.files[static_cast<std::size_t>(file.value())].range()),
        options_(std::move(options)),
        end_(std::min(range_.size(), options_.end)) {}

  core::ReaderId id() const { return id_; }
  Bytes size() const { return end_; }

  // The reader's thread.
  Result<std::optional<Bytes>> try_read(Bytes offset, std::span<std::uint8_t> out);
  Result<Bytes> read(Bytes offset, std::span<std::uint8_t> out);
  // Any thread.
  void fail(const Error& error);
  void silence();
  void leave();

  // Loop thread.
  void enter() { desk_->add(id_, weak_from_this()); }
  void opened(Host& host, const OpenTorrent& torrent);
  void pump(Host& host);
  void close(Host& host);

 private:
  Bytes take(std::span<std::uint8_t> out);
  void seek_to(Bytes offset);
  bool needs_pump() const;
  void ask_pump();
  void look(Host& host);
  Bytes readable_from(Bytes offset) const;
  void tell(Host& host, Bytes position, std::uint64_t place, Bytes readable);
  void note_demand(bool demands);
  bool keep(std::vector<std::uint8_t> bytes, std::uint64_t place);
  void fill(Host& host, ByteRange bytes, std::uint64_t place);
  void filled(Host& host, Result<std::vector<std::uint8_t>> bytes, std::uint64_t place);
  void wake();

  const std::shared_ptr<Readers::Desk> desk_;
  const core::ReaderId id_;
  const core::FileIndex file_;
  const ByteRange range_;  // the file's, in torrent space
  const ReaderOptions options_;
  const Bytes end_;  // within the file

  std::mutex mutex_;  // guards the following
  std::condition_variable changed_;
  std::deque<std::vector<std::uint8_t>> chunks_;  // what follows position_
  std::size_t chunk_at_ = 0;                      // so much of the first was taken
  Bytes position_ = Bytes(-1);                    // of the next byte to be taken
  Bytes held_;                                    // in chunks_
  std::uint64_t place_ = 0;                       // counts seeks
  Bytes asked_at_ = Bytes(-1);                    // position_ when the loop was last asked to look
  bool asked_ = false;                            // and it has not yet
  bool demands_ = false;                          // the node was told of us
  bool wants_wake_ = false;
  std::optional<Error> error_;

  std::mutex wake_mutex_;  // held while options_.wake runs
  bool silent_ = false;    // the reader is gone

  // Loop thread.
  std::optional<OpenTorrent> torrent_;
  bool filling_ = false;
  bool closed_ = false;
  bool pumping_ = false;
  bool again_ = false;
  struct Told {
    std::uint64_t place = 0;
    Bytes position;
    bool starting = false;
  };
  std::optional<Told> told_;  // none: the node does not know of us
};

// ---------------------------------------------------------------------------------------------
// The reader's side.

// Under the lock, as the next two.
Bytes Reader::State::take(std::span<std::uint8_t> out) {
  std::size_t taken = 0;
  while (taken < out.size() && !chunks_.empty()) {
    const std::vector<std::uint8_t>& chunk = chunks_.front();
    const std::size_t size = std::min(out.size() - taken, chunk.size() - chunk_at_);
    std::memcpy(out.data() + taken, chunk.data() + chunk_at_, size);
    taken += size;
    chunk_at_ += size;
    if (chunk_at_ < chunk.size()) break;
    chunks_.pop_front();
    chunk_at_ = 0;
  }
  const Bytes size(static_cast<std::int64_t>(taken));
  position_ += size;
  held_ -= size;
  return size;
}

// A short way ahead is skipped within what is held.
void Reader::State::seek_to(Bytes offset) {
  if (position_ >= 0_B && offset > position_ && offset < position_ + held_) {
    std::vector<std::uint8_t> skipped(static_cast<std::size_t>((offset - position_).count()));
    take(skipped);
  }
  if (offset == position_) return;
  chunks_.clear();
  chunk_at_ = 0;
  held_ = 0_B;
  position_ = offset;
  ++place_;
  asked_at_ = Bytes(-1);
}

bool Reader::State::needs_pump() const {
  if (asked_ || error_) return false;
  if (asked_at_ < 0_B) return true;
  if (demands_ && position_ - asked_at_ >= kTellEvery) return true;
  return held_ <= kAhead / 2 && position_ + held_ < end_ && position_ > asked_at_;
}

void Reader::State::ask_pump() {
  asked_ = true;
  asked_at_ = position_;
  const auto look = [self = shared_from_this()](Host& host) { self->pump(host); };
  if (!desk_->post(look)) error_ = cancelled_error();
}

Result<std::optional<Bytes>> Reader::State::try_read(Bytes offset, std::span<std::uint8_t> out) {
  TRIBUTARY_CHECK(offset >= 0_B && !out.empty());
  const std::lock_guard lock(mutex_);
  if (error_) return *error_;
  if (offset >= end_) return std::optional(0_B);
  seek_to(offset);
  const Bytes taken = take(out);
  if (needs_pump()) ask_pump();
  if (taken > 0_B) return std::optional(taken);
  if (error_) return *error_;
  wants_wake_ = true;
  return std::optional<Bytes>();
}

Result<Bytes> Reader::State::read(Bytes offset, std::span<std::uint8_t> out) {
  for (;;) {
    TRIBUTARY_TRY(got, try_read(offset, out));
    if (got) return *got;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return error_ || held_ > 0_B; });
  }
}

void Reader::State::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = error;
    changed_.notify_all();
  }
  wake();
}

void Reader::State::silence() {
  const std::lock_guard lock(wake_mutex_);
  silent_ = true;
}

void Reader::State::leave() {
  desk_->post([self = shared_from_this()](Host& host) { self->close(host); });
}

void Reader::State::wake() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(wants_wake_, false)) return;
  }
  const std::lock_guard lock(wake_mutex_);
  if (!silent_ && options_.wake) options_.wake();
}

// ---------------------------------------------------------------------------------------------
// The loop's side.

void Reader::State::opened(Host& host, const OpenTorrent& torrent) {
  if (closed_) return;
  torrent_ = torrent;
  for (const Endpoint& peer : options_.peers) host.add_peer(torrent.id, peer);
  host.share(torrent.id, true);
  torrent_->feed->observe(id_, [weak = weak_from_this(), &host] {
    if (const auto self = weak.lock()) self->pump(host);
  });
  pump(host);
}

void Reader::State::close(Host& host) {
  if (std::exchange(closed_, true)) return;
  if (torrent_) torrent_->feed->forget(id_);
  if (std::exchange(told_, std::nullopt)) host.feed(PlayerInput(ReadingEnded{id_}));
  desk_->remove(id_);
}

// What it does may lead back to it.
void Reader::State::pump(Host& host) {
  again_ = true;
  if (std::exchange(pumping_, true)) return;
  while (std::exchange(again_, false)) look(host);
  pumping_ = false;
}

// Sees what can be read now, takes some of it from the store, and tells the node of the rest.
void Reader::State::look(Host& host) {
  std::unique_lock lock(mutex_);
  asked_ = false;
  if (closed_ || !torrent_ || error_ || position_ < 0_B) return;
  const Bytes position = position_;
  const Bytes from = position + held_;
  const std::uint64_t place = place_;
  lock.unlock();
  if (torrent_->feed->cancelled()) return fail(cancelled_error());
  const Bytes readable = readable_from(from);
  const bool ahead = from - position >= kAhead;
  if (!filling_ && readable > from && !ahead) {
    const Bytes size = std::min(readable - from, from == position ? kFirstChunk : kChunk);
    fill(host, {range_.begin + from, range_.begin + from + size}, place);
  }
  tell(host, position, place, readable);
}

Bytes Reader::State::readable_from(Bytes offset) const {
  if (offset >= end_) return end_;
  const core::Layout& layout = *torrent_->layout;
  const core::BlockRange blocks =
      layout.blocks_covering({range_.begin + offset, range_.begin + end_});
  const core::BlockIndex until = torrent_->feed->ready_until(blocks.begin, blocks.end);
  if (until == blocks.begin) return offset;
  return std::min(layout.block_range(until - 1).end - range_.begin, end_);
}

// While nothing is missing up to the end there is nothing to demand.
void Reader::State::tell(Host& host, Bytes position, std::uint64_t place, Bytes readable) {
  const bool waits = readable == position;
  const bool left = told_ && told_->place != place;
  if (told_ && (readable >= end_ || (left && !waits))) {
    told_.reset();
    host.feed(PlayerInput(ReadingEnded{id_}));
  }
  if (readable >= end_) return note_demand(false);
  const bool follows = options_.lead > Duration::zero() && place == kFirstPlace;
  const bool starting =
      waits && !follows && (!told_ || left || (told_->starting && told_->position == position));
  if (told_ && !left && told_->starting == starting) {
    const Bytes moved = position - told_->position;
    if (moved == 0_B || (moved < kTellEvery && !waits)) return;
  }
  told_ = {place, position, starting};
  note_demand(true);
  host.feed(PlayerInput(Reading{.reader = id_,
                                .track = {torrent_->id, file_},
                                .unread = {position, end_},
                                .starting = starting,
                                .rate = options_.rate,
                                .lead = options_.lead}));
}

void Reader::State::note_demand(bool demands) {
  const std::lock_guard lock(mutex_);
  demands_ = demands;
}

void Reader::State::fill(Host& host, ByteRange bytes, std::uint64_t place) {
  filling_ = true;
  std::vector<std::uint8_t> now(static_cast<std::size_t>(bytes.size().count()));
  if (host.read_now(torrent_->id, bytes, now)) return filled(host, std::move(now), place);
  host.reader().read(torrent_->id, bytes, [self = shared_from_this(), &host, place](auto read) {
    self->filled(host, std::move(read), place);
  });
}

void Reader::State::filled(Host& host, Result<std::vector<std::uint8_t>> bytes,
                           std::uint64_t place) {
  filling_ = false;
  if (closed_) return;
  if (!bytes) {
    // Lost since it was stored, or too many read at once: looked for again on a later turn.
    const ErrorCode code = bytes.error().code;
    if (code != ErrorCode::kNotFound && code != ErrorCode::kLimit) return fail(bytes.error());
    desk_->post([self = shared_from_this()](Host& h) { self->pump(h); });
    return;
  }
  if (keep(*std::move(bytes), place)) wake();
  pump(host);
}

bool Reader::State::keep(std::vector<std::uint8_t> bytes, std::uint64_t place) {
  const std::lock_guard lock(mutex_);
  if (place != place_) return false;
  held_ += Bytes(std::ssize(bytes));
  chunks_.push_back(std::move(bytes));
  changed_.notify_all();
  return true;
}

// ---------------------------------------------------------------------------------------------

void Readers::Desk::close() {
  {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }
  open_ = false;
  for (const auto& [id, weak] : std::exchange(readers_, {})) {
    const auto reader = weak.lock();
    if (!reader) continue;
    reader->close(host_);
    reader->fail(cancelled_error());
  }
}

Readers::Readers(net::Loop& loop, Host& host) : desk_(std::make_shared<Desk>(loop, host)) {}
Readers::~Readers() { desk_->close(); }

std::unique_ptr<Reader> Readers::open(std::shared_ptr<const core::Metainfo> metainfo,
                                      core::FileIndex file, ReaderOptions options) {
  auto state = std::make_shared<Reader::State>(desk_, *metainfo, file, std::move(options));
  const bool open = desk_->post([state, metainfo = std::move(metainfo)](Host& host) {
    state->enter();
    host.open(metainfo,
              [state, &host](const OpenTorrent& torrent) { state->opened(host, torrent); });
  });
  if (!open) state->fail(cancelled_error());
  return std::unique_ptr<Reader>(new Reader(std::move(state)));
}

Reader::Reader(std::shared_ptr<State> state) : state_(std::move(state)) {}

Reader::~Reader() {
  state_->silence();
  state_->leave();
}

Bytes Reader::size() const { return state_->size(); }

Result<std::optional<Bytes>> Reader::try_read(Bytes offset, std::span<std::uint8_t> out) {
  return state_->try_read(offset, out);
}

Result<Bytes> Reader::read(Bytes offset, std::span<std::uint8_t> out) {
  return state_->read(offset, out);
}

void Reader::cancel() {
  state_->fail(cancelled_error());
  state_->leave();
}

}  // namespace tributary::player
