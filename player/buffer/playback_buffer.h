// The playback buffer's figures: how much media lies ahead of the playhead, and what the listener
// lived through (startup delay, stalls, seeks, gaps).
#pragma once

#include <cstdint>
#include <optional>

#include "engine/base/units.h"
#include "engine/core/byte_time_map.h"

namespace tributary::player {

// Media ahead of the playhead when the file's bytes up to `ready_end` are verified without a hole
// from the playhead's byte on. Never negative; zero when the map is unknown. `ready_end` is an
// offset in the file.
Duration media_ahead(const core::ByteTimeMap& map, Duration playhead, Bytes ready_end);

// What one track's playback, or all of a session's, came to. Times count only while the listener
// wants to hear something: a pause stops every clock here but `paused`.
struct PlaybackFigures {
  std::int64_t started = 0;    // playbacks that reached their first frame
  std::int64_t abandoned = 0;  // requested, and given up before the first frame
  Duration startup{};          // from each request to its first frame, abandoned ones included
  Duration played{};
  std::int64_t stalls = 0;
  Duration stalled{};
  std::int64_t seeks = 0;
  Duration seeking{};  // from a seek to its first frame, and a relapse directly after it
  std::int64_t gaps = 0;
  Duration gap{};  // from a track's end to the first frame of the one that follows by itself
  Duration paused{};

  // Stalled ÷ (stalled + played), in parts per million; zero when nothing was played.
  std::int64_t rebuffering_ppm() const;

  PlaybackFigures& operator+=(const PlaybackFigures& other);
  friend bool operator==(const PlaybackFigures&, const PlaybackFigures&) = default;
};

// How a track came to be requested.
enum class StartKind {
  kChosen,   // by the listener: its wait is startup delay
  kFollows,  // by itself after the one before: its wait since that one's end is a gap as well
};

// The accounting of playback as a machine of inputs; it decides nothing. Tracks the phase, whether
// the listener paused, and the figures of the present track and of those before.
//
// Invariants: phases change only by inputs; each moment since the request belongs to exactly one of
// startup, played, stalled, seeking, paused, or idle (before a request and after an end); a wait
// directly after a seek is seek latency and never a stall, so stalls are the engine's failures
// alone. "Directly after" lasts until kSeekSettles has been played since. A stall that the listener
// seeks out of ends at the seek. A lack of media while paused is a stall only if it outlasts the
// pause.
//
// Every input carries the time, which must not go back. Inputs that make no sense in the present
// phase (a stall before the first frame, a frame while playing) are ignored.
class PlaybackMeter {
 public:
  // Playback that dries up sooner than this after a seek's first frame has not recovered from it.
  static constexpr Duration kSeekSettles = 500ms;

  enum class Phase { kIdle, kStarting, kPlaying, kStalled, kSeeking, kEnded };

  // A track is wanted. Ends the one before, wherever it was; lifts a pause.
  void requested(TimePoint now, StartKind kind = StartKind::kChosen);
  // Media moves again: the first frame after a request, a stall or a seek.
  void first_frame(TimePoint now);
  // No media is left at the playhead, short of the track's end.
  void starved(TimePoint now);
  void seek(TimePoint now);
  void pause(TimePoint now);
  void resume(TimePoint now);
  // The track was played to its end. Before the first frame: there was nothing to play.
  void ended(TimePoint now);
  // The listener is done: nothing is wanted any more.
  void stopped(TimePoint now);

  Phase phase() const { return phase_; }
  bool is_paused() const { return paused_; }
  // The present or last track's figures, and the whole session's, up to now.
  PlaybackFigures track(TimePoint now) const;
  PlaybackFigures session(TimePoint now) const;
  // The present track's startup delay; nullopt until its first frame.
  std::optional<Duration> startup() const;
  // The gap before the present track; nullopt unless it followed by itself and has begun.
  std::optional<Duration> gap() const;

 private:
  void account(TimePoint now);
  void enter(Phase phase);
  void give_up();
  void count_stall();

  Phase phase_ = Phase::kIdle;
  bool paused_ = false;
  bool stall_counted_ = false;
  bool settling_ = false;  // after a seek's first frame
  bool follows_ = false;
  TimePoint since_;     // accounted up to
  Duration settled_{};  // played since the seek's first frame
  Duration silence_{};  // since the end of the track before, for the gap
  PlaybackFigures track_;
  PlaybackFigures before_;  // tracks that are over
};

}  // namespace tributary::player
