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

}  // namespace

TrackSource::TrackSource(TrackRef track, ByteRange file, std::shared_ptr<const core::Layout> layout,
                         std::shared_ptr<Feed> feed, net::StoreReader reader, OnWait on_wait)
    : track_(track),
      file_(file),
      layout_(std::move(layout)),
      feed_(std::move(feed)),
      reader_(std::move(reader)),
      on_wait_(std::move(on_wait)) {}

Result<Bytes> TrackSource::read(Bytes offset, std::span<std::uint8_t> out) {
  if (offset >= file_.size()) return 0_B;
  const Bytes begin = file_.begin + offset;
  const ByteRange wanted{begin,
                         std::min(file_.end, begin + Bytes(static_cast<std::int64_t>(out.size())))};
  for (;;) {
    TRIBUTARY_TRY(ready, wait_for(wanted));
    const auto bytes = reader_.read_blocking(track_.torrent, ready, kStoreLimit);
    if (bytes) {
      std::copy(bytes->begin(), bytes->end(), out.begin());
      return ready.size();
    }
    // Lost since it was stored: the swarm fetches it again.
    if (bytes.error().code != ErrorCode::kNotFound) return bytes.error();
  }
}

Result<ByteRange> TrackSource::wait_for(ByteRange wanted) {
  const core::BlockRange blocks = layout_->blocks_covering(wanted);
  const bool waits = !feed_->ready(blocks.begin);
  if (waits) {
    on_wait_(track_, {wanted.begin, std::min(file_.end, wanted.begin + kReadAhead)});
  }
  const core::BlockIndex end = feed_->wait(blocks.begin, blocks.end, cancelled_);
  if (waits) on_wait_(track_, {});
  if (end == blocks.begin) return Error{ErrorCode::kCancelled, "reading was cancelled"};
  return intersect(wanted, {wanted.begin, layout_->block_range(end - 1).end});
}

void TrackSource::cancel() {
  feed_->wake([this] { cancelled_ = true; });
}

}  // namespace tributary::player
