#include "player/media/playback_pipeline.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "player/media/ffmpeg.h"

namespace tributary::player {
namespace {

// Media time between two updates of hints(): they cost a pass over the index.
constexpr Duration kHintInterval = 1s;

}  // namespace

// A failure shows when the track is opened.
void PlaybackPipeline::prepare() { static_cast<void>(load_ffmpeg()); }

PlaybackPipeline::PlaybackPipeline(AudioSink& sink, MediaClock& clock, TrackProvider& provider,
                                   PipelineOptions options)
    : sink_(sink), clock_(clock), provider_(provider), options_(std::move(options)) {
  if (options_.start_paused) sink_.pause();
  thread_ = std::thread([this] { run(); });
}

PlaybackPipeline::~PlaybackPipeline() { stop(); }

void PlaybackPipeline::start(const Track& track) {
  command({Action::kStart, track, {}, clock_.now()});
}
void PlaybackPipeline::play() { sink_.resume(); }
void PlaybackPipeline::pause() { sink_.pause(); }
void PlaybackPipeline::seek(Duration time) {
  command({Action::kSeek, {}, std::max(time, Duration::zero()), clock_.now()});
}
void PlaybackPipeline::skip_next() { command({Action::kNext, {}, {}, clock_.now()}); }
void PlaybackPipeline::skip_previous() { command({Action::kPrevious, {}, {}, clock_.now()}); }

void PlaybackPipeline::command(Command command) {
  const std::lock_guard lock(mutex_);
  // The track in which a seek is meant may be one whose start has not been taken up yet.
  if (command_ && command_->action == Action::kStart && command.action == Action::kSeek) {
    command_->track.start = command.time;
  } else {
    command_ = std::move(command);
  }
  if (source_) source_->cancel();
  sink_.interrupt();
  changed_.notify_all();
}

void PlaybackPipeline::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (source_) source_->cancel();
    sink_.interrupt();
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  static_cast<void>(sink_.close());
}

void PlaybackPipeline::run() {
  for (;;) {
    std::optional<Cursor> cursor = take_command();
    if (!cursor) return;
    play_from(std::move(*cursor));
  }
}

// Waits for a command and what it means; none when the thread is to end.
std::optional<PlaybackPipeline::Cursor> PlaybackPipeline::take_command() {
  for (;;) {
    Command command;
    std::optional<Track> heard;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || command_; });
      if (stopping_) return std::nullopt;
      command = *std::exchange(command_, std::nullopt);
      observe();
      if (const Segment* s = heard_segment()) heard = s->track;
      sink_.flush();
      observe();  // a stall that the command ends
      segments_.clear();
      stalled_since_.reset();
      ended_ = ended_sent_ = false;
    }
    if (std::optional<Cursor> cursor = resolve(command, heard)) return cursor;
    finish();
  }
}

std::optional<PlaybackPipeline::Cursor> PlaybackPipeline::resolve(
    const Command& command, const std::optional<Track>& heard) {
  if (command.action == Action::kStart) {
    return Cursor{command.track, command.track.start, command.at, false};
  }
  if (!heard) return std::nullopt;
  if (command.action == Action::kSeek) return Cursor{*heard, command.time, command.at, true};
  const std::optional<Track> to =
      command.action == Action::kNext ? provider_.next(heard->id) : provider_.previous(heard->id);
  if (!to && command.action == Action::kPrevious) {
    return Cursor{*heard, heard->start, command.at, false};
  }
  if (!to) return std::nullopt;
  return Cursor{*to, to->start, command.at, false};
}

// Plays the cursor's track and those after it, until interrupted or the list is through.
void PlaybackPipeline::play_from(Cursor cursor) {
  int failures = 0;
  for (;;) {
    const Outcome outcome = play_track(cursor);
    if (outcome == Outcome::kInterrupted) return;
    failures = outcome == Outcome::kFailed ? failures + 1 : 0;
    if (outcome == Outcome::kSinkFailed || failures >= kMaxFailures) break;
    const std::optional<Track> next = provider_.next(cursor.track.id);
    if (!next) break;
    cursor = {*next, next->start, failures > 0 ? cursor.asked : std::nullopt, false};
  }
  finish();
}

PlaybackPipeline::Outcome PlaybackPipeline::play_track(const Cursor& cursor) {
  Result<std::shared_ptr<ByteSource>> opened = provider_.open(cursor.track);
  if (!opened) return outcome_of(cursor, opened.error());
  auto source = std::make_shared<TrackedSource>(std::move(*opened));
  if (!publish_source(cursor.track, source)) return Outcome::kInterrupted;
  const core::FileHints& known = cursor.track.hints;
  auto reader = TrackReader::open(*source, {cursor.from, cursor.track.stop, &known});
  const Outcome outcome =
      reader ? play_reader(cursor, **reader) : outcome_of(cursor, reader.error());
  const std::lock_guard lock(mutex_);
  if (reader) stats_.video_packets += (*reader)->video_packets();
  source_.reset();
  return outcome;
}

PlaybackPipeline::Outcome PlaybackPipeline::play_reader(const Cursor& cursor, TrackReader& reader) {
  if (Result<void> r = open_sink(reader.native_format()); !r) {
    static_cast<void>(outcome_of(cursor, r.error()));
    return Outcome::kSinkFailed;
  }
  reader.set_output(format_);
  {
    const std::lock_guard lock(mutex_);
    hints_ = reader.hints();
    emit({PipelineEvent::Kind::kOpened,
          cursor.track.id,
          clock_.now(),
          reader.info().duration,
          reader.info(),
          {}});
  }
  bool is_first = true;
  Duration hints_at{};
  for (;;) {
    Result<PcmBlock> block = reader.next();
    if (!block) return end_segment(), outcome_of(cursor, block.error());
    if (block->bytes.empty()) break;
    if (must_stop()) return Outcome::kInterrupted;
    if (is_first) begin_segment(cursor, block->time);
    is_first = false;
    if (Result<void> r = sink_.write(block->bytes); !r) {
      const Outcome outcome = outcome_of(cursor, r.error());
      return outcome == Outcome::kInterrupted ? outcome : Outcome::kSinkFailed;
    }
    const std::lock_guard lock(mutex_);
    read_time_ = block->time;
    if (block->time >= hints_at + kHintInterval) {
      hints_at = block->time;
      hints_ = reader.hints();
    }
  }
  return end_segment(), Outcome::kDone;
}

// An interruption by a command is none of the listener's business; all else is reported.
PlaybackPipeline::Outcome PlaybackPipeline::outcome_of(const Cursor& cursor, const Error& error) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || command_) return Outcome::kInterrupted;
  emit({PipelineEvent::Kind::kError, cursor.track.id, clock_.now(), {}, {}, error.message});
  return Outcome::kFailed;
}

Result<void> PlaybackPipeline::open_sink(const AudioFormat& native) {
  if (format_.valid()) return {};  // only this thread writes it
  TRIBUTARY_TRY(format, sink_.open(native, options_.queue));
  const std::lock_guard lock(mutex_);
  format_ = format;
  return {};
}

// False when a command came in between: its cancel() could not reach this source.
bool PlaybackPipeline::publish_source(const Track& track, std::shared_ptr<TrackedSource> source) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || command_) return false;
  source_ = std::move(source);
  reading_ = track.id;
  read_time_ = Duration::zero();
  hints_ = track.hints;
  return true;
}

bool PlaybackPipeline::must_stop() {
  const std::lock_guard lock(mutex_);
  return stopping_ || command_.has_value();
}

void PlaybackPipeline::begin_segment(const Cursor& cursor, Duration time) {
  const std::lock_guard lock(mutex_);
  observe();
  Segment s;
  s.track = cursor.track;
  s.begin = sink_status_.written_frames;
  s.time = time;
  s.follows = !segments_.empty();
  s.started = cursor.is_seek;
  segments_.push_back(std::move(s));
  if (!cursor.asked) return;
  const TimePoint now = clock_.now();
  const auto kind =
      cursor.is_seek ? PipelineEvent::Kind::kSeeked : PipelineEvent::Kind::kFirstFrame;
  emit({kind, cursor.track.id, now, now - *cursor.asked, {}, {}});
}

void PlaybackPipeline::end_segment() {
  const std::lock_guard lock(mutex_);
  observe();
  if (!segments_.empty() && !segments_.back().end) {
    segments_.back().end = sink_status_.written_frames;
  }
}

// Lets the sink play out; kEnded follows when all was heard.
void PlaybackPipeline::finish() {
  if (format_.valid() && !sink_.drain()) {
    if (must_stop()) return;
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  reading_.reset();
  if (options_.wake) options_.wake();
}

void PlaybackPipeline::emit(PipelineEvent event) {
  if (events_.size() == kMaxEvents) {
    events_.pop_front();
    ++stats_.events_lost;
  }
  events_.push_back(std::move(event));
  if (options_.wake) options_.wake();
}

// A track begins or ends at the sink's frame.
void PlaybackPipeline::emit_boundary(PipelineEvent::Kind kind, TrackId track, Duration gap,
                                     std::int64_t frame) {
  emit({kind, track, clock_.now(), gap, {}, {}, format_.time_of(frame)});
}

// Turns what the sink has done since the last look into events.
void PlaybackPipeline::observe() {
  sink_status_ = sink_.status();
  observe_underruns(sink_status_);
  observe_segments(sink_status_);
}

void PlaybackPipeline::observe_underruns(const SinkStatus& status) {
  for (const Underrun& u : status.underruns) {
    if (Segment* s = boundary_at(u.at_frame)) {
      s->gap += u.length;
      continue;
    }
    if (is_after_all(u.at_frame)) continue;
    const TrackId track = heard_segment()->track.id;
    if (!stalled_since_) emit({PipelineEvent::Kind::kStalled, track, u.start, {}, {}, {}});
    emit({PipelineEvent::Kind::kResumed, track, u.start + u.length, u.length, {}, {}});
    stalled_since_.reset();
    ++stats_.stalls;
    stats_.stalled += u.length;
  }
  const bool is_stall =
      status.dry && !is_after_all(status.dry->at_frame) && !boundary_at(status.dry->at_frame);
  if (is_stall && !stalled_since_) {
    stalled_since_ = status.dry->start;
    emit({PipelineEvent::Kind::kStalled, segments_.back().track.id, status.dry->start, {}, {}, {}});
  }
}

void PlaybackPipeline::observe_segments(const SinkStatus& status) {
  while (!segments_.empty()) {
    Segment& s = segments_.front();
    if (!s.started && status.heard_frames > s.begin) {
      s.started = true;
      ++stats_.tracks_started;
      stats_.longest_gap = std::max(stats_.longest_gap, s.gap);
      emit_boundary(PipelineEvent::Kind::kTrackStarted, s.track.id, s.gap, s.begin);
    }
    if (!s.end || status.heard_frames < *s.end || segments_.size() < 2) return;
    emit_boundary(PipelineEvent::Kind::kTrackFinished, s.track.id, {}, *s.end);
    segments_.pop_front();
  }
}

PlaybackPipeline::Segment* PlaybackPipeline::boundary_at(std::int64_t frame) {
  for (Segment& s : segments_) {
    if (s.follows && s.begin == frame) return &s;
  }
  return nullptr;
}

// Whether nothing known was to follow the frame: the wait there is for the next track, or the end.
bool PlaybackPipeline::is_after_all(std::int64_t frame) const {
  return segments_.empty() || (segments_.back().end && *segments_.back().end <= frame);
}

const PlaybackPipeline::Segment* PlaybackPipeline::heard_segment() const {
  const Segment* heard = nullptr;
  for (const Segment& s : segments_) {
    if (!heard || s.begin <= sink_status_.heard_frames) heard = &s;
  }
  return heard;
}

std::vector<PipelineEvent> PlaybackPipeline::poll() {
  const std::lock_guard lock(mutex_);
  observe();
  if (ended_ && !ended_sent_) {
    ended_sent_ = true;
    const TrackId last = segments_.empty() ? TrackId() : segments_.back().track.id;
    if (!segments_.empty()) {
      emit_boundary(PipelineEvent::Kind::kTrackFinished, last, {}, sink_status_.heard_frames);
    }
    emit({PipelineEvent::Kind::kEnded, last, clock_.now(), {}, {}, {}});
  }
  std::vector<PipelineEvent> events(std::make_move_iterator(events_.begin()),
                                    std::make_move_iterator(events_.end()));
  events_.clear();
  return events;
}

PipelinePosition PlaybackPipeline::position() {
  const std::lock_guard lock(mutex_);
  observe();
  PipelinePosition p;
  p.playing = sink_status_.playing;
  if (format_.valid()) p.heard = format_.time_of(sink_status_.heard_frames);
  const Segment* s = heard_segment();
  if (!s) return p;
  p.track = s->track.id;
  const Duration heard = format_.time_of(sink_status_.heard_frames - s->begin) - sink_.latency();
  p.time = s->time + std::max(heard, Duration::zero());
  p.buffered = format_.time_of(sink_status_.written_frames - sink_status_.heard_frames);
  return p;
}

PipelineNeeds PlaybackPipeline::needs() {
  const std::lock_guard lock(mutex_);
  PipelineNeeds n;
  n.reading = reading_;
  n.read_time = read_time_;
  if (source_) {
    n.read_offset = Bytes(source_->progress().offset_bytes);
    n.waiting = source_->progress().waiting;
  }
  return n;
}

PipelineStats PlaybackPipeline::stats() {
  const std::lock_guard lock(mutex_);
  observe();
  return stats_;
}

core::FileHints PlaybackPipeline::hints() {
  const std::lock_guard lock(mutex_);
  return hints_;
}

}  // namespace tributary::player
