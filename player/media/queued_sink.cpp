#include "player/media/queued_sink.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::player {
namespace {

// A full queue is left to fall by this much before the writer wakes: four wake-ups a second instead
// of one for each packet.
constexpr Duration kRefill = 250ms;

}  // namespace

Result<AudioFormat> QueuedSink::open(const AudioFormat& wanted, const QueueOptions& options) {
  TRIBUTARY_CHECK(!queue_.is_open());
  TRIBUTARY_TRY(format, open_output(wanted));
  const std::lock_guard lock(mutex_);
  options_ = options;
  queue_.open(format, options);
  return format;
}

Result<void> QueuedSink::state() const {
  if (interrupted_) return Error{ErrorCode::kCancelled, "playing was interrupted"};
  if (error_) return *error_;
  return {};
}

Result<void> QueuedSink::write(std::span<const std::uint8_t> pcm) {
  std::unique_lock lock(mutex_);
  TRIBUTARY_CHECK(queue_.is_open());
  while (!pcm.empty()) {
    const TimePoint now = clock_.now();
    advance(now);
    if (Result<void> r = state(); !r) return r;
    const std::size_t part = std::min(pcm.size(), queue_.room());
    if (part == 0) {
      const Duration level = std::max(options_.capacity - kRefill, options_.capacity / 2);
      clock_.wait(lock, changed_, wake_time(level));
      continue;
    }
    queue_.push(pcm.first(part), now);
    advance(now);
    pcm = pcm.subspan(part);
  }
  return state();
}

Result<void> QueuedSink::drain() {
  std::unique_lock lock(mutex_);
  queue_.set_ended(clock_.now());
  for (;;) {
    advance(clock_.now());
    if (Result<void> r = state(); !r) return r;
    if (queue_.queued_frames() == 0) return {};
    clock_.wait(lock, changed_, wake_time(Duration::zero()));
  }
}

Result<void> QueuedSink::close() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return {};
    closed_ = true;
    if (queue_.is_open()) advance(clock_.now());
  }
  close_output();
  const std::lock_guard lock(mutex_);
  if (error_) return *error_;
  return {};
}

void QueuedSink::set_paused(bool paused) {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.now();
  if (queue_.is_open()) advance(now);
  queue_.set_paused(paused, now);
  if (queue_.is_open()) advance(now);
  changed_.notify_all();
}

void QueuedSink::interrupt() {
  const std::lock_guard lock(mutex_);
  interrupted_ = true;
  changed_.notify_all();
}

void QueuedSink::flush() {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.now();
  if (queue_.is_open()) advance(now);
  queue_.flush(now);
  interrupted_ = false;
}

SinkStatus QueuedSink::status() {
  const std::lock_guard lock(mutex_);
  if (queue_.is_open()) advance(clock_.now());
  return {queue_.heard_frames(), queue_.written_frames(), queue_.running(), queue_.open_underrun(),
          queue_.take_underruns()};
}

}  // namespace tributary::player
