#include "player/buffer/playback_buffer.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::player {

Duration media_ahead(const core::ByteTimeMap& map, Duration playhead, Bytes ready_end) {
  const Duration ready =
      map.size() > 0_B && ready_end >= map.size() ? map.duration() : map.time_at(ready_end);
  return std::max(ready - playhead, Duration::zero());
}

std::int64_t PlaybackFigures::rebuffering_ppm() const {
  const Duration whole = stalled + played;
  return whole > Duration::zero() ? mul_div(stalled.count(), 1'000'000, whole.count()) : 0;
}

PlaybackFigures& PlaybackFigures::operator+=(const PlaybackFigures& other) {
  started += other.started;
  abandoned += other.abandoned;
  startup += other.startup;
  played += other.played;
  stalls += other.stalls;
  stalled += other.stalled;
  seeks += other.seeks;
  seeking += other.seeking;
  gaps += other.gaps;
  gap += other.gap;
  paused += other.paused;
  return *this;
}

void PlaybackMeter::requested(TimePoint now, StartKind kind) {
  account(now);
  give_up();
  // Only a track that was heard to its end leaves a gap that the next one can close.
  follows_ = kind == StartKind::kFollows && phase_ == Phase::kEnded;
  if (!follows_) silence_ = Duration::zero();
  before_ += track_;
  track_ = {};
  paused_ = false;
  enter(Phase::kStarting);
}

void PlaybackMeter::first_frame(TimePoint now) {
  account(now);
  if (phase_ == Phase::kStarting) {
    ++track_.started;
    if (follows_) {
      ++track_.gaps;
      track_.gap += silence_;
    }
  } else if (phase_ == Phase::kSeeking) {
    settling_ = true;
    settled_ = Duration::zero();
  } else if (phase_ != Phase::kStalled) {
    return;
  }
  enter(Phase::kPlaying);
}

void PlaybackMeter::starved(TimePoint now) {
  account(now);
  if (phase_ != Phase::kPlaying) return;
  if (settling_) {
    enter(Phase::kSeeking);
    return;
  }
  enter(Phase::kStalled);
  count_stall();
}

void PlaybackMeter::seek(TimePoint now) {
  account(now);
  // Before the first frame it only moves the start.
  if (phase_ == Phase::kIdle || phase_ == Phase::kStarting) return;
  ++track_.seeks;
  enter(Phase::kSeeking);
}

void PlaybackMeter::pause(TimePoint now) {
  account(now);
  if (phase_ != Phase::kIdle && phase_ != Phase::kEnded) paused_ = true;
}

void PlaybackMeter::resume(TimePoint now) {
  account(now);
  paused_ = false;
  count_stall();
}

void PlaybackMeter::ended(TimePoint now) {
  account(now);
  if (phase_ == Phase::kIdle || phase_ == Phase::kEnded) return;
  give_up();
  paused_ = false;
  silence_ = Duration::zero();
  enter(Phase::kEnded);
}

void PlaybackMeter::stopped(TimePoint now) {
  account(now);
  give_up();
  paused_ = false;
  enter(Phase::kIdle);
}

PlaybackFigures PlaybackMeter::track(TimePoint now) const {
  PlaybackMeter copy = *this;
  copy.account(now);
  return copy.track_;
}

PlaybackFigures PlaybackMeter::session(TimePoint now) const {
  PlaybackFigures sum = before_;
  return sum += track(now);
}

std::optional<Duration> PlaybackMeter::startup() const {
  return track_.started > 0 ? std::optional(track_.startup) : std::nullopt;
}

std::optional<Duration> PlaybackMeter::gap() const {
  return track_.gaps > 0 ? std::optional(track_.gap) : std::nullopt;
}

// Books the time since the last input to what it was spent on.
void PlaybackMeter::account(TimePoint now) {
  TRIBUTARY_CHECK(phase_ == Phase::kIdle || now >= since_);
  const Duration passed = now - since_;
  since_ = now;
  if (paused_) {
    track_.paused += passed;
    return;
  }
  switch (phase_) {
    case Phase::kIdle:
      return;
    case Phase::kEnded:
      silence_ += passed;
      return;
    case Phase::kStarting:
      silence_ += passed;
      track_.startup += passed;
      return;
    case Phase::kPlaying:
      track_.played += passed;
      if (settling_) settled_ += passed;
      if (settled_ >= kSeekSettles) settling_ = false;
      return;
    case Phase::kStalled:
      track_.stalled += passed;
      return;
    case Phase::kSeeking:
      track_.seeking += passed;
      return;
  }
}

void PlaybackMeter::enter(Phase phase) {
  phase_ = phase;
  stall_counted_ = false;
  if (phase != Phase::kPlaying) settling_ = false;
}

// A request that is over before its first frame.
void PlaybackMeter::give_up() {
  if (phase_ == Phase::kStarting) ++track_.abandoned;
}

void PlaybackMeter::count_stall() {
  if (phase_ != Phase::kStalled || paused_ || stall_counted_) return;
  stall_counted_ = true;
  ++track_.stalls;
}

}  // namespace tributary::player
