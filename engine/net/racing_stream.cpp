#include "engine/net/racing_stream.h"

#include <utility>

#include "engine/base/check.h"

namespace tributary::net {

RacingStream::RacingStream(Loop& loop, std::unique_ptr<ByteStream> first,
                           std::unique_ptr<ByteStream> second, Duration head_start, Taken taken)
    : head_start_(head_start), on_taken_(std::move(taken)), loop_(loop) {
  ways_[0].stream = std::move(first);
  ways_[1].stream = std::move(second);
  for (Way& way : ways_) {
    way.race = this;
    way.stream->set_owner(way);
  }
}

void RacingStream::Way::close() {
  if (!std::exchange(closing, true)) stream->close();
}

void RacingStream::dial(const Endpoint& remote) {
  remote_ = remote;
  timer_.emplace(loop_);
  timer_->start(loop_.now() + head_start_, [this] { dial(ways_[1]); });
  dial(ways_[0]);
}

void RacingStream::dial(Way& way) {
  if (closing_ || taken_ != nullptr || way.dialled) return;
  way.dialled = true;
  way.stream->dial(remote_);
}

void RacingStream::on_connected(Way& way) {
  if (closing_ || taken_ != nullptr) return;
  taken_ = &way;
  timer_.reset();
  ways_[&way == &ways_[0] ? 1 : 0].close();
  if (on_taken_) on_taken_(*way.stream);
  owner().on_stream_connected();
}

void RacingStream::on_failed(Way& way, const std::string& reason) {
  if (closing_) return;
  if (taken_ == &way) return owner().on_stream_failed(reason);
  way.close();
  if (taken_ != nullptr) return;
  if (ways_[0].closing && ways_[1].closing) return owner().on_stream_failed(reason);
  dial(ways_[&way == &ways_[0] ? 1 : 0]);
}

void RacingStream::close() {
  closing_ = true;
  timer_.reset();
  for (Way& way : ways_) way.close();
}

// Ours is the last call when both are gone; before that a loser just goes.
void RacingStream::on_closed(Way& way) {
  way.closed = true;
  if (closing_ && ways_[0].closed && ways_[1].closed) owner().on_stream_closed();
}

}  // namespace tributary::net
