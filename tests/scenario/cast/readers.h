// Virtual readers beside playback: what browsers and players behind a gateway do to a node.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tests/scenario/cast/scenarios.h"

namespace tributary::sim {

// One who reads a track from a position as fast as it comes, up to half a minute ahead of what it
// plays, and plays it in real time. It looks at the store ten times a second.
//
// Lifetime: the world calls it back, so it must outlive the world's run.
class VirtualReader {
 public:
  VirtualReader(World& world, HostId host, core::TorrentId torrent, core::ReaderId id);

  // Begins, or seeks.
  void start(Duration position);
  void pause() { paused_ = true; }
  void stop();

  std::optional<Duration> startup() const { return startup_; }  // of the last start
  std::int32_t stalls() const { return stalls_; }
  bool finished() const { return finished_; }
  Duration playhead() const { return playhead_; }

 private:
  void look();
  void read_on();
  void play_on();
  void tell(bool starting);
  const core::ByteTimeMap& timeline() const { return world_.track(torrent_).timeline(); }

  World& world_;
  const HostId host_;
  const core::TorrentId torrent_;
  const core::ReaderId id_;
  bool reads_ = false;
  bool looking_ = false;
  bool paused_ = false;
  bool finished_ = false;
  bool stalled_ = false;
  TimePoint started_{};
  Bytes from_;
  Bytes taken_;  // up to here
  Duration playhead_{};
  std::optional<Duration> startup_;
  std::int32_t stalls_ = 0;
};

struct ReadersReport {
  std::vector<Duration> startups;
  std::int32_t stalls = 0;
  std::int32_t finished = 0;
  Bytes from_cdn;
  Bytes from_peers;
  std::uint64_t digest = 0;
};

// Four of one host read two tracks, each from elsewhere, 3 s apart; four seeds of 4 Mbit/s have
// them.
ReadersReport several_readers(const Variation& v);
// One takes a minute and then no more; what the CDN sent by then and a minute later.
std::pair<Bytes, Bytes> paused_reader(const Variation& v);
// One that stops at 5 s; what the CDN sent by then and at the end.
std::pair<Bytes, Bytes> gone_reader(const Variation& v);
// One that for 30 s has something else to play, and then a megabyte at once; what the CDN sent by
// half of that time and at its end.
std::pair<Bytes, Bytes> following_reader(const Variation& v);

}  // namespace tributary::sim
