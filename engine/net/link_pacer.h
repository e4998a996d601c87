// Whose turn it is to send and to read, under limits of rate.
#pragma once

#include <deque>
#include <functional>
#include <map>

#include "engine/base/units.h"
#include "engine/core/ids.h"
#include "engine/net/loop.h"
#include "engine/net/peer_link.h"
#include "engine/net/rate_limiter.h"
#include "engine/net/timer.h"

namespace tributary::net {

// Connections take turns: each sends a block, or reads once, while its torrent has tokens. One that
// has none is passed over and keeps its place.
//
// Loop thread only. Buckets that are given must outlive the pacer, or be taken back by another
// call.
class LinkPacer {
 public:
  // `find` gives a connection, or null when it is gone.
  LinkPacer(Loop& loop, Bytes limited_read, std::function<PeerLink*(core::ConnId)> find);

  // Over all connections of torrents without buckets of their own. kUnlimited at first.
  void set_upload_rate(BitRate rate);
  void set_download_rate(BitRate rate);
  // These are spent from too.
  void share(TokenBucket& upload, TokenBucket& download);
  // What the torrent's connections spend from instead; null for what all others do.
  void limit(core::TorrentId torrent, TokenBucket* upload, TokenBucket* download);

  // The connection may have a block to send.
  void offer(PeerLink& link);
  // Takes blocks from the queues of those that have some, as long as there are tokens; `sends` is
  // called for each.
  void upload_in_turns(const std::function<void(PeerLink&)>& sends);

  // How much may be read at once.
  Bytes most_at_once() const;
  // Pauses the connection when its tokens are spent.
  void on_read(PeerLink& link, Bytes size);

 private:
  struct Buckets {
    TokenBucket* upload;
    TokenBucket* download;
  };

  TokenBucket& upload_of(const PeerLink& link);
  TokenBucket& download_of(const PeerLink& link);
  void resume_in_turns();
  void wake_resuming(TimePoint at);

  Loop& loop_;
  const Bytes limited_read_;
  std::function<PeerLink*(core::ConnId)> find_;
  TokenBucket upload_;
  TokenBucket download_;
  std::map<core::TorrentId, Buckets> torrents_;
  std::deque<core::ConnId> uploads_;  // want their next block sent
  std::deque<core::ConnId> paused_;   // wait for download tokens
  Timer upload_timer_;
  Timer download_timer_;
  TimePoint resume_at_ = kNever;  // when it is set
};

}  // namespace tributary::net
