// One file of a torrent as the blocking byte source of the demuxer: reads verified blocks, waits
// for those that are on their way.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "engine/net/store.h"
#include "player/client/item_state.h"
#include "player/client/playlist_item.h"
#include "player/media/byte_source.h"
#include "player/node/node.h"

namespace tributary::player {

class TrackSource final : public ByteSource {
 public:
  // Called on the reading thread: the reader stands still for these bytes of torrent space, or no
  // longer does (an empty range).
  using OnWait = std::function<void(TrackRef, ByteRange)>;

  // The item's torrent may be opened later: reads wait for that too.
  TrackSource(const PlaylistItem& item, std::shared_ptr<ItemState> state, net::StoreReader reader,
              OnWait on_wait);

  Bytes size() const override { return range_.size(); }
  Result<Bytes> read(Bytes offset, std::span<std::uint8_t> out) override;
  void cancel() override;

 private:
  Result<ByteRange> wait_for(const OpenTorrent& torrent, ByteRange wanted);

  const core::FileIndex file_;
  const ByteRange range_;  // the file's, in torrent space
  const std::shared_ptr<ItemState> state_;
  const net::StoreReader reader_;
  const OnWait on_wait_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace tributary::player
