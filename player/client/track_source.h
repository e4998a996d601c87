// One file of a torrent as the blocking byte source of the demuxer: reads verified blocks, waits
// for those that are on their way.
#pragma once

#include <functional>
#include <memory>

#include "engine/core/layout.h"
#include "engine/net/store.h"
#include "player/client/feed.h"
#include "player/media/byte_source.h"
#include "player/node/node.h"

namespace tributary::player {

class TrackSource final : public ByteSource {
 public:
  // Called on the reading thread: the reader stands still for these bytes of torrent space, or no
  // longer does (an empty range).
  using OnWait = std::function<void(TrackRef, ByteRange)>;

  // `layout` and `feed` are the torrent's; `file` the file's range in torrent space.
  TrackSource(TrackRef track, ByteRange file, std::shared_ptr<const core::Layout> layout,
              std::shared_ptr<Feed> feed, net::StoreReader reader, OnWait on_wait);

  Bytes size() const override { return file_.size(); }
  Result<Bytes> read(Bytes offset, std::span<std::uint8_t> out) override;
  void cancel() override;

 private:
  Result<ByteRange> wait_for(ByteRange wanted);

  const TrackRef track_;
  const ByteRange file_;
  const std::shared_ptr<const core::Layout> layout_;
  const std::shared_ptr<Feed> feed_;
  const net::StoreReader reader_;
  const OnWait on_wait_;
  bool cancelled_ = false;  // guarded by the feed's lock
};

}  // namespace tributary::player
