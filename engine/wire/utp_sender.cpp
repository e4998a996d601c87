#include "engine/wire/utp_sender.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::wire {
namespace {

// Buffers kept for reuse: as many as one acknowledgement frees in a row.
constexpr std::size_t kMaxSpare = 64;

bool bit(Octets mask, std::size_t i) { return (mask[i / 8] >> (i % 8) & 1) != 0; }

}  // namespace

OctetBuffer UtpSender::take_buffer() {
  OctetBuffer buffer;
  if (!spare_.empty()) {
    buffer = std::move(spare_.back());
    spare_.pop_back();
  }
  buffer.reserve(kUtpHeaderSize + static_cast<std::size_t>(segment_.count()));
  buffer.resize(kUtpHeaderSize);
  return buffer;
}

void UtpSender::recycle(OctetBuffer buffer) {
  if (spare_.size() < kMaxSpare) spare_.push_back(std::move(buffer));
}

void UtpSender::write(Octets bytes) {
  TRIBUTARY_CHECK(!finished_);
  unsent_bytes_ += Bytes(std::ssize(bytes));
  const auto full = kUtpHeaderSize + static_cast<std::size_t>(segment_.count());
  while (!bytes.empty()) {
    if (segments_.size() == sent_ || segments_.back().datagram.size() == full) {
      segments_.emplace_back().datagram = take_buffer();
    }
    OctetBuffer& datagram = segments_.back().datagram;
    const std::size_t n = std::min(full - datagram.size(), bytes.size());
    append(datagram, bytes.first(n));
    bytes = bytes.subspan(n);
  }
}

void UtpSender::finish() {
  if (std::exchange(finished_, true)) return;
  UtpSegment& end = segments_.emplace_back();
  end.datagram = take_buffer();
  end.fin = true;
}

std::size_t UtpSender::next_index() const {
  if (lost_ == 0) return sent_;
  const auto lost = std::find_if(segments_.begin(), segments_.end(),
                                 [](const UtpSegment& segment) { return segment.lost; });
  return static_cast<std::size_t>(lost - segments_.begin());
}

UtpSegment* UtpSender::send_next(TimePoint now, UtpSeq& seq) {
  const std::size_t index = next_index();
  TRIBUTARY_CHECK(index < segments_.size());
  UtpSegment& segment = segments_[index];
  if (index == sent_) {
    if (sent_ == kMaxUtpInFlight) return nullptr;
    ++sent_;
    unsent_bytes_ -= segment.payload();
  } else {
    segment.lost = false;
    --lost_;
  }
  in_flight_ += segment.payload();
  segment.sent_at = now;
  segment.order = ++transmissions_;
  ++segment.transmissions;
  seq = first_ + static_cast<int>(index);
  return &segment;
}

bool UtpSender::plausible(UtpSeq ack) const {
  const int ahead = ack - first_;  // -1: nothing new
  return ahead < static_cast<int>(sent_) && ahead >= -static_cast<int>(kMaxUtpInFlight);
}

void UtpSender::acknowledge(UtpSegment& segment, UtpAckOutcome& outcome, TimePoint now) {
  if (segment.acked) return;
  segment.acked = true;
  outcome.acked += segment.payload();
  outcome.progress = true;
  if (std::exchange(segment.lost, false)) {
    --lost_;
  } else {
    in_flight_ -= segment.payload();
  }
  if (segment.order <= newest_acked_) return;
  newest_acked_ = segment.order;
  // Which transmission was acknowledged nobody knows if there were several (Karn's algorithm).
  outcome.rtt = segment.transmissions == 1 ? std::optional(now - segment.sent_at) : std::nullopt;
}

void UtpSender::mark_lost(UtpSegment& segment, UtpAckOutcome& outcome) {
  segment.lost = true;
  ++lost_;
  in_flight_ -= segment.payload();
  outcome.lost = outcome.lost || segment.order > told_until_;
}

// Those before the last one that is known to have come, and sent well before one that has.
void UtpSender::find_losses(std::size_t acked_end, UtpAckOutcome& outcome) {
  for (std::size_t i = 0; i < acked_end; ++i) {
    UtpSegment& segment = segments_[i];
    if (segment.acked || segment.lost) continue;
    if (segment.order + kLossThreshold <= newest_acked_) mark_lost(segment, outcome);
  }
}

// For who acknowledges nothing selectively: each packet behind a gap repeats the last word.
void UtpSender::on_repeated_ack(UtpAckOutcome& outcome) {
  if (++repeated_acks_ != static_cast<int>(kLossThreshold)) return;
  UtpSegment& missing = segments_.front();
  if (!missing.acked && !missing.lost) mark_lost(missing, outcome);
}

UtpAckOutcome UtpSender::on_ack(UtpSeq ack, Octets selective_ack, bool repeats, TimePoint now) {
  TRIBUTARY_CHECK(plausible(ack));
  UtpAckOutcome outcome;
  const int ahead = ack - first_;
  for (int i = 0; i <= ahead; ++i) {
    acknowledge(segments_.front(), outcome, now);
    recycle(std::move(segments_.front().datagram));
    segments_.pop_front();
    --sent_;
    first_ = first_ + 1;
  }
  std::size_t acked_end = 0;
  // The first bit stands for the packet after the one that is missing. An old acknowledgement's are
  // known already, by a later one.
  for (std::size_t i = 0; ahead >= -1 && i < selective_ack.size() * 8 && i + 1 < sent_; ++i) {
    if (!bit(selective_ack, i)) continue;
    acknowledge(segments_[i + 1], outcome, now);
    acked_end = i + 1;
  }
  find_losses(acked_end, outcome);
  if (outcome.progress) repeated_acks_ = 0;
  if (!outcome.progress && repeats && ahead == -1 && sent_ > 0 && selective_ack.empty()) {
    on_repeated_ack(outcome);
  }
  if (outcome.lost) told_until_ = transmissions_;
  return outcome;
}

void UtpSender::on_timeout() {
  UtpAckOutcome ignored;
  for (std::size_t i = 0; i < sent_; ++i) {
    UtpSegment& segment = segments_[i];
    if (!segment.acked && !segment.lost) mark_lost(segment, ignored);
  }
  told_until_ = transmissions_;
  repeated_acks_ = 0;
}

}  // namespace tributary::wire
