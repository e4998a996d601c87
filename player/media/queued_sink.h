// What all sinks share: a bounded queue with its lock, waits and interruption.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>

#include "player/media/sink.h"

namespace tributary::player {

class QueuedSink : public AudioSink {
 public:
  explicit QueuedSink(MediaClock& clock) : clock_(clock) {}

  Result<AudioFormat> open(const AudioFormat& wanted, const QueueOptions& options) override;
  Result<void> write(std::span<const std::uint8_t> pcm) override;
  Result<void> drain() override;
  Result<void> close() override;
  void pause() override { set_paused(true); }
  void resume() override { set_paused(false); }
  void interrupt() override;
  void flush() override;
  SinkStatus status() override;
  Duration latency() const override { return Duration::zero(); }

 protected:
  // The hooks of an implementation, called with the lock held unless said otherwise.
  virtual Result<AudioFormat> open_output(const AudioFormat& wanted) = 0;  // without the lock
  virtual void close_output() {}                                           // without the lock
  // Brings the queue up to date with the clock; a device's own thread does it instead.
  virtual void advance(TimePoint now) = 0;
  // When to look again for the queue to have fallen to `level`; kNever when changed_ tells.
  virtual TimePoint wake_time(Duration level) const { return queue_.time_of_level(level); }
  // A failure of the output, which write() then returns.
  void fail(Error error) { error_ = std::move(error); }
  bool failed() const { return error_.has_value(); }

  MediaClock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;  // room, resumption, interruption
  PlayQueue queue_;

 private:
  void set_paused(bool paused);
  Result<void> state() const;

  QueueOptions options_;
  bool interrupted_ = false;
  bool closed_ = false;
  std::optional<Error> error_;
};

}  // namespace tributary::player
