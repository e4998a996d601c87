#include "player/media/play_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/base/check.h"

namespace tributary::player {
namespace {

// The time a playhead at `rate` takes for `frames`, rounded up: at that time they have passed.
Duration time_to_pass(std::int64_t frames, int rate) {
  return Duration((frames * 1'000'000 + rate - 1) / rate);
}

}  // namespace

void PlayQueue::open(const AudioFormat& format, const QueueOptions& options) {
  TRIBUTARY_CHECK(format.valid());
  const bool was_paused = paused_;
  *this = PlayQueue();
  paused_ = was_paused;
  format_ = format;
  options_ = options;
  // A level above the capacity could never be reached.
  options_.start_level = std::min(options.start_level, options.capacity / 2);
}

std::int64_t PlayQueue::queued_frames() const {
  if (!is_open()) return 0;
  return static_cast<std::int64_t>(pcm_.size() - begin_) / format_.frame_bytes();
}

std::size_t PlayQueue::room() const {
  const std::int64_t capacity = std::max<std::int64_t>(format_.frames_in(options_.capacity), 1);
  return bytes_of(std::max<std::int64_t>(capacity - queued_frames(), 0));
}

void PlayQueue::push(std::span<const std::uint8_t> pcm, TimePoint now) {
  TRIBUTARY_CHECK(pcm.size() <= room() && pcm.size() % bytes_of(1) == 0);
  if (pcm.empty()) return;
  ended_ = false;
  if (begin_ > pcm_.size() / 2) {
    pcm_.erase(pcm_.begin(), pcm_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
  }
  pcm_.insert(pcm_.end(), pcm.begin(), pcm.end());
  begin_if_ready(now);
}

void PlayQueue::begin_if_ready(TimePoint now) {
  const std::int64_t queued = queued_frames();
  if (running_ || paused_ || queued == 0) return;
  if (!ended_ && queued < format_.frames_in(options_.start_level)) return;
  running_ = begun_ = true;
  anchor_time_ = now;
  anchor_frame_ = heard_;
  close_underrun(now);
}

void PlayQueue::close_underrun(TimePoint now) {
  if (dry_ && now > dry_->start && underruns_.size() < kMaxUnderruns) {
    dry_->length = now - dry_->start;
    underruns_.push_back(*dry_);
  }
  dry_.reset();
}

void PlayQueue::run_dry(TimePoint at) {
  running_ = false;
  if (!ended_ && !paused_) dry_ = Underrun{heard_, at, {}};
}

void PlayQueue::drop_front(std::int64_t frames) {
  begin_ += bytes_of(frames);
  heard_ += frames;
}

void PlayQueue::advance(TimePoint now, const Played& played) {
  if (!running_ || now <= anchor_time_) return;
  const std::int64_t target =
      anchor_frame_ + mul_div((now - anchor_time_).count(), format_.rate, 1'000'000);
  const std::int64_t written = written_frames();
  const std::int64_t pass = std::min(target, written) - heard_;
  if (pass > 0) {
    if (played) played(std::span(pcm_).subspan(begin_, bytes_of(pass)));
    drop_front(pass);
  }
  if (target >= written) {
    run_dry(anchor_time_ + time_to_pass(written - anchor_frame_, format_.rate));
  }
}

std::size_t PlayQueue::pull(std::span<std::uint8_t> out, TimePoint now) {
  if (!running_) return 0;
  const std::size_t size = std::min(out.size(), bytes_of(queued_frames()));
  std::memcpy(out.data(), pcm_.data() + begin_, size);
  drop_front(static_cast<std::int64_t>(size) / format_.frame_bytes());
  if (size < out.size()) run_dry(now);
  return size;
}

void PlayQueue::set_paused(bool paused, TimePoint now) {
  if (paused == paused_) return;
  paused_ = paused;
  if (paused) {
    close_underrun(now);
    running_ = false;
  } else if (is_open()) {
    begin_if_ready(now);
    if (!running_ && begun_ && !ended_) dry_ = Underrun{heard_, now, {}};
  }
}

void PlayQueue::set_ended(TimePoint now) {
  ended_ = true;
  if (!is_open()) return;
  begin_if_ready(now);
  dry_.reset();
}

void PlayQueue::flush(TimePoint now) {
  close_underrun(now);
  pcm_.clear();
  begin_ = 0;
  running_ = begun_ = ended_ = false;
}

TimePoint PlayQueue::time_of_level(Duration level) const {
  if (!running_) return kNever;
  const std::int64_t frame = written_frames() - format_.frames_in(level);
  return anchor_time_ +
         time_to_pass(std::max<std::int64_t>(frame - anchor_frame_, 0), format_.rate);
}

std::vector<Underrun> PlayQueue::take_underruns() { return std::exchange(underruns_, {}); }

}  // namespace tributary::player
