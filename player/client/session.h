// One playback session on the loop thread: what the pipeline reports becomes the node's inputs,
// what the listener wants becomes the pipeline's commands, and both become the report.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "player/buffer/playback_buffer.h"
#include "player/client/client.h"
#include "player/client/host.h"
#include "player/client/item_state.h"
#include "player/client/playlist_item.h"
#include "player/client/track_source.h"
#include "player/media/playback_pipeline.h"
#include "player/media/sink.h"

namespace tributary::player {

// Tracks are named by their place in the playlist: TrackId(i) is items[i]. Loop thread only, but
// for the TrackProvider's members, which run on the pipeline's thread.
//
// Invariant: `torrents_[i]` is set before the pipeline can ask for track i; it never changes then.
class Session final : public TrackProvider {
 public:
  struct Options {
    Duration from{};
    Duration until = Duration(-1);
    std::vector<Endpoint> peers;
  };

  // `host`, `clock` and `sink` must outlive the session.
  Session(net::Loop& loop, Host& host, MediaClock& clock, AudioSink& sink,
          std::vector<PlaylistItem> items, Options options);
  ~Session() override;

  void start();
  void toggle_pause();
  bool paused() const { return user_paused_; }  // by the listener
  void seek_by(Duration offset);
  Duration position() const { return position_; }
  void next();
  void previous();
  // See Client.
  void set_edges(std::size_t item, std::vector<std::string> edges);
  void add_peer(std::size_t item, const Endpoint& peer);
  void prefetch(std::size_t item);
  // The first item of the open torrent.
  std::optional<std::size_t> item_of(core::TorrentId torrent) const;
  // Ends the session for the listener; its figures are final.
  void halt();
  // Ends the pipeline's thread. Any thread but the loop's, which that thread may be waiting for.
  void join();

  void on_may_start(TrackRef track);
  // A request to the CDN or a tracker has its connection.
  void on_connected();
  // Called once, on the loop thread, when the last track was played or playing failed for good.
  void on_end(std::function<void()> callback) { on_end_ = std::move(callback); }
  bool ended() const { return ended_; }
  PlayMoment moment() const { return {state_, current_, message_}; }
  // Called on the loop thread about every 50 ms, and after what the listener did.
  void on_moment(std::function<void(const PlayMoment&)> callback) {
    on_moment_ = std::move(callback);
  }
  void tell_moment() const {
    if (on_moment_) on_moment_(moment());
  }
  ClientSnapshot snapshot(std::size_t cells);
  Report report();

  // TrackProvider
  std::optional<Track> next(TrackId after) override;
  std::optional<Track> previous(TrackId before) override;
  Result<std::shared_ptr<ByteSource>> open(const Track& track) override;

 private:
  // One track's playback, as the report tells it.
  struct Played {
    PlaybackFigures figures;
    Duration gap{};
  };
  // How far one item of the list has come.
  struct Progress {
    std::shared_ptr<ItemState> state = std::make_shared<ItemState>();
    bool opening = false;  // the host was asked for its torrent
    bool failed = false;   // given up, wholly or in part
    Played played;         // up to the last time it was left
  };

  void open_torrents(std::size_t item);
  void open_torrent(std::size_t item);
  // Calls back once the item's torrent is open, which this has it be.
  void when_open(std::size_t item, std::function<void(const OpenTorrent&)> work);
  void opened(std::size_t item, const OpenTorrent& torrent);
  // None while it is not open.
  const OpenTorrent* torrent(std::size_t item) const { return progress_[item].state->torrent(); }
  Track track_at(std::size_t item) const;
  TrackRef ref_of(std::size_t item) const;
  // The track after the current one; none at the end, and while its torrent is not open.
  std::optional<TrackRef> next_ref() const;
  Duration duration_of(std::size_t item) const;

  void poll_pipeline();
  void on(const PipelineEvent& event);
  void on_track_started(const PipelineEvent& event);
  void on_track_failed(std::size_t item, const std::string& why);
  void on_last_track_ended();
  void rest_if_paused();
  void begin_track(std::size_t item, Duration heard, StartKind kind);
  TimePoint metered(TimePoint at);
  void end();
  void close_figures(Duration heard);
  PlaybackFigures present_figures(Duration heard);
  // Tells the node where the playhead is when its own reckoning has drifted off.
  void correct_playhead();
  void tell_node(bool moving, bool starting, bool paused);
  void tell_next();
  void restart(std::size_t item, Duration position);
  void learn_timeline(std::size_t item, const core::FileHints& hints);
  void note_wait(TrackRef track, ByteRange range);
  void update_wait();
  bool wait_is_urgent() const;

  std::vector<CellState> piece_map(std::size_t cells) const;
  std::string why_it_waits(const ClientSnapshot& snapshot) const;
  std::vector<ReportPeer> report_peers() const;
  ReportEntry entry_of(std::size_t item, const Played& played) const;

  net::Loop& loop_;
  Host& host_;
  MediaClock& clock_;
  std::vector<PlaylistItem> items_;
  Options options_;
  std::vector<Progress> progress_;  // by item

  std::size_t current_ = 0;
  PlayState state_ = PlayState::kLoading;
  Duration position_{};
  Duration told_position_{};  // what the node was told last
  TimePoint told_at_;
  PlaybackMeter meter_;
  TimePoint metered_{};  // the latest time the meter saw
  Duration gap_{};
  Duration heard_before_{};  // of all tracks, when the current one began
  bool started_ = false;
  bool prepared_ = false;  // the pipeline, or it is about to be
  bool user_paused_ = false;
  bool may_start_ = false;
  bool frame_decoded_ = false;  // since the start or seek that is under way
  bool ended_ = false;
  std::function<void()> on_end_;
  std::function<void(const PlayMoment&)> on_moment_;
  std::optional<std::size_t> hinted_;  // by prefetch()
  std::string message_;
  std::optional<std::pair<TrackRef, ByteRange>> wait_;  // what the demuxer waits for
  std::optional<TrackRef> wait_told_;
  net::Timer poll_timer_;
  std::unique_ptr<PlaybackPipeline> pipeline_;
};

}  // namespace tributary::player
