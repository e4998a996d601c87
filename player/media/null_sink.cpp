#include "player/media/queued_sink.h"

namespace tributary::player {
namespace {

class NullSink final : public QueuedSink {
 public:
  using QueuedSink::QueuedSink;

 private:
  Result<AudioFormat> open_output(const AudioFormat& wanted) override { return wanted; }
  void advance(TimePoint now) override { queue_.advance(now); }
};

}  // namespace

std::unique_ptr<AudioSink> make_null_sink(MediaClock& clock) {
  return std::make_unique<NullSink>(clock);
}

}  // namespace tributary::player
