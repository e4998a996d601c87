// The PCM between a decoder and the ear, with the clock of what has been heard.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/units.h"
#include "player/media/audio_format.h"

namespace tributary::player {

// A time without sound while sound was due.
struct Underrun {
  std::int64_t at_frame = 0;  // frames heard before it
  TimePoint start;
  Duration length{};
  friend bool operator==(const Underrun&, const Underrun&) = default;
};

struct QueueOptions {
  Duration capacity = 2s;  // PCM held at most: what a skip throws away, and a hiccup it survives
  // PCM needed to begin, and to go on after an underrun. Zero begins with the first sample.
  Duration start_level = Duration::zero();
};

// A machine without clock or lock: times are passed in and never go back. Tracks
//   written = heard + queued frames, all since open(); a flush lowers `written` to `heard`;
//   running: the playhead moves; never while paused or empty;
//   an open underrun: only when begun, not paused, not ended and empty.
// One of two ways to consume: advance() with the clock, or pull() by a device.
class PlayQueue {
 public:
  using Played = std::function<void(std::span<const std::uint8_t>)>;

  // REQUIRES: format.valid().
  void open(const AudioFormat& format, const QueueOptions& options);
  bool is_open() const { return format_.valid(); }
  const AudioFormat& format() const { return format_; }

  // Bytes that may be pushed; whole frames.
  std::size_t room() const;
  // REQUIRES: whole frames, at most room().
  void push(std::span<const std::uint8_t> pcm, TimePoint now);

  // Moves the playhead to `now`; `played`, when set, gets the PCM that it passed.
  void advance(TimePoint now, const Played& played = {});
  // Takes PCM for a device; returns the bytes filled, less than asked when it runs dry.
  std::size_t pull(std::span<std::uint8_t> out, TimePoint now);

  void set_paused(bool paused, TimePoint now);
  // Whether all has been pushed: running dry is then the end. Push and flush undo it.
  void set_ended(TimePoint now);
  void flush(TimePoint now);

  std::int64_t heard_frames() const { return heard_; }
  std::int64_t written_frames() const { return heard_ + queued_frames(); }
  std::int64_t queued_frames() const;
  bool running() const { return running_; }
  bool paused() const { return paused_; }
  // When queued frames will have fallen to `level`; kNever while the playhead stands.
  TimePoint time_of_level(Duration level) const;

  // The open underrun, its length up to now left zero.
  const std::optional<Underrun>& open_underrun() const { return dry_; }
  // Finished ones since the last call; at most kMaxUnderruns are kept.
  std::vector<Underrun> take_underruns();
  static constexpr std::size_t kMaxUnderruns = 256;

 private:
  void begin_if_ready(TimePoint now);
  void run_dry(TimePoint at);
  void close_underrun(TimePoint now);
  void drop_front(std::int64_t frames);
  std::size_t bytes_of(std::int64_t frames) const {
    return static_cast<std::size_t>(frames * format_.frame_bytes());
  }

  AudioFormat format_;
  QueueOptions options_;
  std::vector<std::uint8_t> pcm_;  // queued from begin_ on
  std::size_t begin_ = 0;
  std::int64_t heard_ = 0;
  bool running_ = false;
  bool begun_ = false;  // something was heard since open or flush
  bool paused_ = false;
  bool ended_ = false;
  TimePoint anchor_time_;  // running: the playhead stood at anchor_frame_ then
  std::int64_t anchor_frame_ = 0;
  std::optional<Underrun> dry_;
  std::vector<Underrun> underruns_;
};

}  // namespace tributary::player
