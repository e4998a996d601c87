// Plays a sequence of tracks into a sink without gaps: one thread that reads, decodes and writes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/result.h"
#include "engine/base/strong.h"
#include "engine/core/torrent_info.h"
#include "player/media/byte_source.h"
#include "player/media/sink.h"
#include "player/media/track_reader.h"

namespace tributary::player {

// The owner's name for a place in its play list.
using TrackId = Id<struct TrackIdTag, std::uint64_t>;

struct Track {
  TrackId id;
  Duration start{};  // where a play from the beginning begins
  Duration stop = kPlayToEnd;
  core::FileHints hints;  // what is known of the file; may be empty
};

// Where tracks come from. Called on the pipeline's thread, one call at a time, with none of its
// locks held; must not block, and must not call the pipeline.
class TrackProvider {
 public:
  virtual ~TrackProvider() = default;
  // What is played after (before) a track; none at the end (beginning) of the list.
  virtual std::optional<Track> next(TrackId after) = 0;
  virtual std::optional<Track> previous(TrackId before) = 0;
  // A new reader of the track's bytes, each time: a seek cancels the old one and opens another. The
  // source's reads block; this call does not.
  virtual Result<std::shared_ptr<ByteSource>> open(const Track& track) = 0;
};

struct PipelineEvent {
  enum class Kind : std::uint8_t {
    kOpened,         // info is known; `duration` its length, zero when unknown
    kFirstFrame,     // the first sound after start(), jump() or a skip is decoded
    kSeeked,         // the first sound after a seek is decoded; `duration` since the seek
    kTrackStarted,   // is heard; `duration` the gap since the previous track's last sample
    kTrackFinished,  // its last sample was heard
    kStalled,        // ran dry while playing; `at` since when
    kResumed,        // sounds again; `duration` of the stall
    kError,          // `message`; the next track follows, unless the sink failed
    kEnded,          // the last track was heard, or nothing is left that can be played
  };
  Kind kind{};
  TrackId track;
  TimePoint at;         // by the pipeline's clock
  Duration duration{};  // see above
  MediaInfo info{};     // kOpened
  std::string message;  // kError: one line
  Duration heard{};     // kTrackStarted, kTrackFinished: of all tracks, up to that boundary
};

// What the pipeline wants from its owner.
struct PipelineNeeds {
  std::optional<TrackId> reading;  // the track that is being read, ahead of what is heard
  Duration read_time{};            // media time decoded so far in it
  Bytes read_offset;               // file offset of the current or latest read
  bool waiting = false;            // that read is blocked
};

struct PipelinePosition {
  std::optional<TrackId> track;  // heard now
  Duration time{};               // media time at the ear
  Duration buffered{};           // PCM decoded ahead of it
  Duration heard{};              // of all tracks, pauses and stalls left out
  bool playing = false;          // sound comes out
};

struct PipelineStats {
  std::int64_t stalls = 0;  // ended ones
  Duration stalled{};       // their sum
  std::int64_t tracks_started = 0;
  Duration longest_gap{};          // between tracks
  std::int64_t video_packets = 0;  // read and dropped
  std::int64_t events_lost = 0;    // not polled in time
};

struct PipelineOptions {
  QueueOptions queue;         // decode-ahead and start level
  bool start_paused = false;  // decode ahead, and sound on play() only
  // Called from any thread when poll() has something new; must not block or call the pipeline. May
  // be empty. What follows the sink's clock alone (position, stalls) is seen by polling.
  std::function<void()> wake;
};

// All members may be called from any thread; none of them blocks on media, and stop() returns as
// soon as the source's cancel() takes effect. A stall is a time without data in the sink while
// playing: not before the first sound, after a seek, while paused, between tracks (that is a gap)
// or at the end. The sink, clock and provider must outlive the pipeline, which opens and closes the
// sink.
class PlaybackPipeline {
 public:
  // Events kept for poll(); a healthy track makes four.
  static constexpr std::size_t kMaxEvents = 1024;
  // Tracks in a row that may fail to open before playing ends: a list that repeats itself must not
  // spin.
  static constexpr int kMaxFailures = 32;

  // Loads what decodes, which takes tens of milliseconds, ahead of the first track. Any thread.
  static void prepare();

  PlaybackPipeline(AudioSink& sink, MediaClock& clock, TrackProvider& provider,
                   PipelineOptions options);
  ~PlaybackPipeline();
  PlaybackPipeline(const PlaybackPipeline&) = delete;
  PlaybackPipeline& operator=(const PlaybackPipeline&) = delete;

  // Plays a track now, whatever is playing, and those that follow it.
  void start(const Track& track);
  void play();
  void pause();
  // In the track that is heard.
  void seek(Duration time);
  // Relative to the track that is heard. Before the first track is that track's beginning; after
  // the last is the end.
  void skip_next();
  void skip_previous();
  // Ends the thread and closes the sink. Idempotent, but one thread's call at a time.
  void stop();

  // Events since the last call, oldest first.
  std::vector<PipelineEvent> poll();
  PipelinePosition position();
  PipelineNeeds needs();
  PipelineStats stats();
  // The byte<->time points of the track that is being read, as far as known.
  core::FileHints hints();

 private:
  enum class Action : std::uint8_t { kStart, kSeek, kNext, kPrevious };
  struct Command {
    Action action{};
    Track track;      // kStart
    Duration time{};  // kSeek
    TimePoint at;
  };
  // What the thread is to play.
  struct Cursor {
    Track track;
    Duration from{};
    std::optional<TimePoint> asked;  // for the first sound of a start, skip or seek
    bool is_seek = false;
  };
  // A run of one track in the sink's frames.
  struct Segment {
    Track track;
    std::int64_t begin = 0;
    std::optional<std::int64_t> end;
    Duration time{};       // media time at begin
    bool follows = false;  // another track was heard right before it
    bool started = false;  // kTrackStarted was sent
    Duration gap{};
  };
  enum class Outcome : std::uint8_t { kDone, kFailed, kInterrupted, kSinkFailed };

  void command(Command command);
  void run();
  std::optional<Cursor> take_command();
  std::optional<Cursor> resolve(const Command& command, const std::optional<Track>& heard);
  void play_from(Cursor cursor);
  Outcome play_track(const Cursor& cursor);
  Outcome play_reader(const Cursor& cursor, TrackReader& reader);
  Outcome outcome_of(const Cursor& cursor, const Error& error);
  Result<void> open_sink(const AudioFormat& native);
  bool publish_source(const Track& track, std::shared_ptr<TrackedSource> source);
  void begin_segment(const Cursor& cursor, Duration time);
  void end_segment();
  void finish();
  bool must_stop();

  // With mutex_ held.
  void emit(PipelineEvent event);
  void emit_boundary(PipelineEvent::Kind kind, TrackId track, Duration gap, std::int64_t frame);
  void observe();
  void observe_underruns(const SinkStatus& status);
  void observe_segments(const SinkStatus& status);
  Segment* boundary_at(std::int64_t frame);
  bool is_after_all(std::int64_t frame) const;
  const Segment* heard_segment() const;

  AudioSink& sink_;
  MediaClock& clock_;
  TrackProvider& provider_;
  const PipelineOptions options_;

  std::mutex mutex_;  // guards all below; taken before the sink's own lock
  std::condition_variable changed_;
  std::optional<Command> command_;
  bool stopping_ = false;
  std::shared_ptr<TrackedSource> source_;  // being read
  std::optional<TrackId> reading_;
  Duration read_time_{};
  core::FileHints hints_;
  AudioFormat format_;  // the sink's, once open
  std::deque<Segment> segments_;
  SinkStatus sink_status_;  // as last observed
  std::deque<PipelineEvent> events_;
  std::optional<TimePoint> stalled_since_;  // kStalled was sent
  bool ended_ = false;
  bool ended_sent_ = false;
  PipelineStats stats_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tributary::player
