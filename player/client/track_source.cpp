#include "player/client/track_source.h"

#include <algorithm>
#include <utility>

namespace tributary::player {
namespace {

// A verified block that the store cannot deliver within this time counts as a disk failure.
constexpr Duration kStoreLimit = 20s;
// How far beyond the byte it stands at a demuxer is taken to read on: a box or page header and what
// it announces.
constexpr Bytes kReadAhead = 64_KiB;

Error cancelled_error() { return Error{ErrorCode::kCancelled, "reading was cancelled"}; }

}  // namespace

TrackSource::TrackSource(const PlaylistItem& item, std::shared_ptr<ItemState> state,
                         net::StoreReader reader, OnWait on_wait)
    : file_(item.file),
      range_(item.metainfo->info.files[static_cast<std::size_t>(file_.value())].range()),
      state_(std::move(state)),
      reader_(std::move(reader)),
      on_wait_(std::move(on_wait)) {}

Result<Bytes> TrackSource::read(Bytes offset, std::span<std::uint8_t> out) {
  if (offset >= range_.size()) return 0_B;
  const OpenTorrent* torrent = state_->wait_until_open(cancelled_);
  if (!torrent) return cancelled_error();
  const Bytes begin = range_.begin + offset;
  const ByteRange wanted{
      begin, std::min(range_.end, begin + Bytes(static_cast<std::int64_t>(out.size())))};
  for (;;) {
    TRIBUTARY_TRY(ready, wait_for(*torrent, wanted));
    const auto bytes = reader_.read_blocking(torrent->id, ready, kStoreLimit);
    if (bytes) {
      std::copy(bytes->begin(), bytes->end(), out.begin());
      state_->mark_read(torrent->layout->blocks_covering(ready));
      return ready.size();
    }
    // Lost since it was stored: the swarm fetches it again.
    if (bytes.error().code != ErrorCode::kNotFound) return bytes.error();
  }
}

Result<ByteRange> TrackSource::wait_for(const OpenTorrent& torrent, ByteRange wanted) {
  const TrackRef track{torrent.id, file_};
  const core::BlockRange blocks = torrent.layout->blocks_covering(wanted);
  const bool waits = !torrent.feed->ready(blocks.begin);
  if (waits) on_wait_(track, {wanted.begin, std::min(range_.end, wanted.begin + kReadAhead)});
  const core::BlockIndex end = torrent.feed->wait(blocks.begin, blocks.end, cancelled_);
  if (waits) on_wait_(track, {});
  if (end == blocks.begin) return cancelled_error();
  return intersect(wanted, {wanted.begin, torrent.layout->block_range(end - 1).end});
}

void TrackSource::cancel() {
  cancelled_ = true;
  state_->wake();
  if (const OpenTorrent* torrent = state_->torrent()) torrent->feed->wake();
}

}  // namespace tributary::player
