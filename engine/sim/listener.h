// A virtual listener with a virtual player: asks for tracks, hears them in real time, seeks, skips,
// pauses, and notes every wait.
//
// The player starts when the node allows it and the bytes of the first frame are there; it stalls
// when the playhead meets a missing byte and resumes with kResumeMedia in hand; at the end of a
// track the next follows at once when its first frame is there. With the first frame its demuxer
// learns the timeline of a track whose torrent has no hints, and tells it.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "engine/core/events.h"
#include "engine/sim/store.h"
#include "player/node/node.h"

namespace tributary::sim {

// The media of the first decodable frame, with what a decoder reads around it.
inline constexpr Duration kFirstFrame = 100ms;
// A stalled player resumes with this much in hand, or with all the rest of the track.
inline constexpr Duration kResumeMedia = 500ms;

// One track as the listener met it.
struct Play {
  core::TorrentId torrent;
  TimePoint requested{};
  std::optional<Duration> startup;   // request to first frame; none: nothing was heard
  std::vector<Duration> seek_waits;  // each seek to the first frame after it
  std::optional<Duration> gap;       // after the track before, when it followed by itself
  std::int32_t stalls = 0;
  Duration stalled{};
  Duration heard{};
  OriginBytes played;       // what was heard, by where it came from
  bool from_cache = false;  // its beginning was there when it was asked for, and not prefetched
  bool finished = false;
  bool skipped = false;
};

// Tracks: the playlist, the line position(time) while the playhead moves, the wait under way.
// Invariant: the playhead never passes a byte that the store lacks.
class Listener {
 public:
  using Output = std::variant<player::PlayerInput, core::ReaderWaits, core::SetTimeline>;

  // The store must outlive this. REQUIRES: the playlist is not empty; each torrent is in the store
  // before the listener comes to name it: the current and the next.
  Listener(const Store& store, std::vector<core::TorrentId> playlist);

  void start(TimePoint now, Duration position = Duration::zero());
  void seek(TimePoint now, Duration position);
  void skip(TimePoint now);
  // Follows what the playlist holds by now.
  void enqueue(TimePoint now, core::TorrentId torrent);
  // In place of all that the playlist still holds. The wish may be older than this: its wait
  // counts from `wished` on.
  void play(TimePoint now, core::TorrentId torrent) { play(now, torrent, now); }
  void play(TimePoint now, core::TorrentId torrent, TimePoint wished);
  void pause(TimePoint now);
  void resume(TimePoint now);
  // The listener loses interest: the current track ends as unfinished.
  void stop(TimePoint now);

  // The node's MayStart.
  void may_start(TimePoint now, core::TorrentId torrent);
  // Some block of this torrent was stored, or next_wake() has come.
  void stored(TimePoint now, core::TorrentId torrent);
  void wake(TimePoint now);

  std::optional<Output> poll();
  TimePoint next_wake() const { return wake_; }

  bool done() const { return state_ == State::kDone; }
  bool playing() const { return state_ == State::kPlaying; }
  std::optional<core::TorrentId> current() const;
  std::optional<core::TorrentId> next() const;
  Duration position(TimePoint now) const;
  const std::vector<Play>& plays() const { return plays_; }

 private:
  enum class State { kIdle, kStarting, kPlaying, kStalled, kPaused, kDone };

  const core::ByteTimeMap& timeline() const { return store_.track(*current()).timeline(); }
  bool ready(Duration media) const;
  bool is_cached() const;
  void begin_track(TimePoint now, Duration position, std::optional<TimePoint> after);
  void wait_for_start(TimePoint now, Duration position);
  void try_start(TimePoint now);
  void move(TimePoint now, bool starting);
  void freeze(TimePoint now);
  void leave_track(TimePoint now);
  void note_played();
  void plan_wake();
  void stall(TimePoint now);
  void end_of_track(TimePoint now);
  void finish();
  void tell(bool moving, bool starting, bool paused = false);
  void tell_waits(TimePoint now);
  void tell_next();
  void tell_timeline();

  const Store& store_;
  std::vector<core::TorrentId> playlist_;
  std::size_t index_ = 0;
  State state_ = State::kIdle;
  bool allowed_ = false;    // MayStart came
  bool was_heard_ = false;  // of the current track
  bool reader_waits_ = false;
  Duration position_{};  // at `since_` while playing, else fixed
  TimePoint since_{};
  Duration heard_from_{};  // where the run that is being heard began
  TimePoint wait_from_{};  // of the start, seek or stall under way
  std::optional<TimePoint> gap_from_;
  TimePoint wake_ = kNever;
  std::vector<Play> plays_;
  std::vector<Output> outputs_;
  std::size_t polled_ = 0;
};

}  // namespace tributary::sim
