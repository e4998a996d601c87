// One session of a listener in a live load test: the client as `play` runs it, less decoder and
// sound, whose place the simulator's listener takes.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "demo/loadtest/live_content.h"
#include "demo/loadtest/node_meter.h"
#include "engine/base/result.h"
#include "engine/core/ledger.h"
#include "engine/net/loop.h"
#include "engine/net/timer.h"
#include "engine/sim/listener.h"
#include "engine/sim/load_plan.h"
#include "player/client/host.h"

namespace tributary::demo {

struct LiveNodeOptions {
  player::HostOptions host;
  std::int32_t shares = 0;  // as sim::LoadSetup::shares
  std::string content;      // where the tracks' files are, of those that it has from the start
  std::vector<std::int32_t> cached;  // those
};

// Loop thread only. Tracks: which torrents are open, what is stored of them and where it came from,
// and wishes that wait for a torrent to be opened; they are met one after another.
class LiveNode {
 public:
  // The tracks must outlive it. Errors: as player::Host::create().
  static Result<std::unique_ptr<LiveNode>> create(net::Loop& loop, const LiveTracks& tracks,
                                                  LiveNodeOptions options);

  // kPlay, kNext and kSkip.
  void wish(sim::LoadEvent::Action action, std::int32_t track);
  // Ends what is played; figures and bytes change no more.
  void stop();
  // Says goodbye, which is cut short when this is destroyed before `done` is called. REQUIRES:
  // stop().
  void close(std::function<void()> done) { host_->close(std::move(done)); }

  const std::vector<sim::Play>& plays() const;
  core::ByteCounts ledger() const;
  // What came of each track over the network.
  std::map<std::int32_t, sim::OriginBytes> received() const;
  net::LinkStats links() const { return host_->link_totals(); }
  const NodeMeter& meter() const { return meter_; }
  void set_limits(const player::RateLimits& limits) { host_->set_limits(limits); }

 private:
  struct Wish {
    sim::LoadEvent::Action action{};
    std::int32_t track = -1;
    TimePoint at{};
  };
  struct Shelf {
    std::optional<core::TorrentId> torrent;  // once it is open
    bool opening = false;
  };

  LiveNode(net::Loop& loop, const LiveTracks& tracks, LiveNodeOptions options);
  Result<void> start();
  void give(std::int32_t track);
  void open(std::int32_t track);
  void opened(std::int32_t track, const player::OpenTorrent& torrent);
  void meet_wishes();
  void meet(const Wish& wish);
  void use(std::int32_t track);
  void offer_surplus();
  void drain();
  void happened(const player::Happening& happening);
  void look();

  net::Loop& loop_;
  const LiveTracks& tracks_;
  LiveNodeOptions options_;
  sim::Store store_;
  std::map<std::int32_t, Shelf> shelves_;
  std::vector<std::int32_t> used_;  // the least recently used first
  std::deque<Wish> wishes_;
  std::optional<sim::Listener> listener_;
  std::size_t plays_seen_ = 0;
  bool stopped_ = false;
  NodeMeter meter_;
  std::set<core::TorrentId> changed_;  // what is stored of them, since the listener looked
  net::Timer look_;
  net::Timer wake_;
  std::unique_ptr<player::Host> host_;  // last: it calls back into the others
};

}  // namespace tributary::demo
