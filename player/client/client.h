// A whole player: sources in, sound out. It owns a node in the real world, its loop thread and the
// decode thread; the caller steers it and looks at snapshots.
//
// Threads: create(), load() and the destructor belong to the owner, which calls one at a time; all
// else may be called from any thread. load() and finish() block, the rest at most for a turn of the
// loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cdn/pool/edge_pool.h"
#include "engine/base/result.h"
#include "engine/core/swarm.h"
#include "player/client/engine_view.h"
#include "player/client/host.h"
#include "player/client/playlist_item.h"
#include "player/client/reader.h"
#include "player/client/report.h"
#include "prefetch/prefetch_planner.h"

namespace tributary::player {

// kEnded: all was played. kFailed: at the end, and some track could not be played.
enum class PlayState { kLoading, kStarting, kPlaying, kPaused, kStalled, kEnded, kFailed };

// What a listener notices first; the rest is in snapshots.
struct PlayMoment {
  PlayState state = PlayState::kLoading;
  std::size_t track = 0;  // of the playlist, counted from 0
  std::string message{};  // the latest error or notice, one line
  friend bool operator==(const PlayMoment&, const PlayMoment&) = default;
};

struct ClientOptions {
  HostOptions host;
  std::string audio = "null";     // "sdl", "null", "wav:FILE", "wav-fast:FILE"
  Duration from{};                // start of each track that is played
  Duration until = Duration(-1);  // end of each; negative: play to the end
  std::vector<Endpoint> peers;    // known to the user, for every torrent
  // Called by load(), five times a second while peers are asked what a magnet link stands for; with
  // false it gives that up, with kCancelled. May be empty.
  std::function<bool(const core::FetchProgress&)> resolving;
  // Gets each scheduling decision while host.trace is set; called on the loop thread.
  std::function<void(const core::Decision&)> decision;
  // Gets each line of the session's trace (player/client/trace.md): the first within create(), the
  // others on the loop thread, the last within finish(). May be empty. It sets host.trace.
  std::function<void(const std::string& line)> trace{};
  // Called on the loop thread when the moment has changed, at most 50 ms late. May be empty.
  std::function<void(const PlayMoment&)> changed{};
  // An edge refused a URL of the track's torrent with this status as it does when a signature has
  // expired; called on the loop thread. May be empty.
  std::function<void(std::size_t track, const std::string& url, int status)> refused{};
};

// Everything a screen shows, at one moment.
struct ClientSnapshot {
  PlayState state = PlayState::kLoading;
  std::size_t track = 0;  // of the playlist, counted from 0
  std::size_t tracks = 0;
  std::string title;
  Duration position{};
  Duration duration{};     // zero: unknown
  Duration buffered{};     // verified media ahead of the playhead
  core::ByteCounts bytes;  // of the whole session
  std::size_t peers = 0;
  std::vector<core::PeerView> peer_list;  // of the playing track's swarm
  std::vector<cdn::EdgeStats> edges;
  std::vector<CellState> pieces;  // of the playing track, at most as many as asked for
  std::size_t playhead_cell = 0;
  std::string next_title;  // empty: there is none
  prefetch::PrefetchStage prefetch = prefetch::PrefetchStage::kIdle;
  Bytes next_have;  // of the next track
  Bytes next_size;
  std::int64_t stalls = 0;
  Duration startup{};  // of the playing track; zero before its first frame
  bool emergency = false;
  std::string message;  // the latest error or notice, one line
  std::string policy;   // its name
};

class Client {
 public:
  static Result<std::unique_ptr<Client>> create(ClientOptions options);
  // Stops without a farewell; call finish() for one.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Resolves sources (.torrent files, http(s) URLs of one, magnet links, playlists of these, plain
  // http(s) media URLs) to the list of tracks, in order. Fetches what is remote. Call once, before
  // start(); again only when it failed. Ends with kCancelled soon after a stop is requested.
  Result<std::vector<PlaylistItem>> load(const std::vector<std::string>& sources,
                                         std::stop_token stop = {});

  // Reads any file of any torrent beside playback; start() is not needed for it. Any thread, as
  // long as the client is there; see player/client/reader.h. ClientOptions::peers are asked too.
  std::unique_ptr<Reader> open_reader(std::shared_ptr<const core::Metainfo> metainfo,
                                      core::FileIndex file, ReaderOptions options = {});

  void start();
  void toggle_pause();
  void set_paused(bool paused);
  void seek_to(Duration position);  // within the playing track; clamped to it, as the next
  void seek_by(Duration offset);
  void next();
  void previous();

  // From now on; see Host.
  void set_limits(const RateLimits& limits);
  void set_conduct(const core::Policy& policy, bool upload);
  // Of the track's torrent, which is opened by this. REQUIRES for these: track is in the playlist.
  void set_edges(std::size_t track, std::vector<std::string> edges);
  void add_peer(std::size_t track, const Endpoint& peer);
  // The track is likely to be wanted next: its beginning is fetched, with the budget of the
  // policy's prefetch, while nothing is more urgent. Replaces the former hint.
  void prefetch(std::size_t track);

  // `cells`: how many cells the piece map may have.
  ClientSnapshot snapshot(std::size_t cells = 64);
  EngineView engine_view(std::size_t cells = 64);
  Report report();
  // Whether the last track was played, or playing failed for good.
  bool ended() const;
  // Waits for that, at most `limit`; whether it came.
  bool wait_until_ended(Duration limit) const;
  // Stops the sound (a WAV file is complete then) and keeps sharing.
  void stop_playback();
  // Says goodbye to trackers and peers and writes the cache down; at most a few seconds.
  void finish();

  // Where peers can reach us; nothing without a listening address.
  std::optional<Endpoint> listening() const;

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tributary::player
