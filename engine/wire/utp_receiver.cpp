#include "engine/wire/utp_receiver.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"

namespace tributary::wire {
namespace {

// The sender is told at once when a window that was smaller than this is open again by as much
// more: a few packets, so that it does not creep (RFC 1122's silly window).
constexpr Bytes kWindowStep = 16_KiB;
// Consumed bytes at the buffer's front that are worth moving the rest for, and capacity that an
// idle connection may keep.
constexpr std::size_t kCompactAt = 64 * 1024;

}  // namespace

void UtpReceiver::on_packet(UtpSeq seq, Octets payload, bool fin, TimePoint now) {
  const int ahead = seq - last_ - 1;
  if (ahead < 0 || ended()) return ack_now(now);  // it has come before
  if (ahead > 0) {
    hold(ahead, payload, fin);
    return ack_now(now);
  }
  if (Bytes(std::ssize(payload)) > window()) return ack_now(now);
  const bool fills_gap = !early_.empty();
  deliver(payload, fin);
  if (!early_.empty()) advance();
  ++unacknowledged_;
  if (fills_gap || fin || unacknowledged_ >= kUtpAckEvery) return ack_now(now);
  ack_due_ = std::min(ack_due_, now + kUtpAckDelay);
}

void UtpReceiver::hold(int ahead, Octets payload, bool fin) {
  const Bytes size(std::ssize(payload));
  if (ahead > kUtpReorderLimit || early_bytes_ + size > window()) return;
  const auto index = static_cast<std::size_t>(ahead - 1);
  if (early_.size() <= index) early_.resize(index + 1);
  Early& early = early_[index];
  if (early.present) return;
  early = {true, fin, OctetBuffer(payload.begin(), payload.end())};
  early_bytes_ += size;
}

void UtpReceiver::deliver(Octets payload, bool fin) {
  last_ = last_ + 1;
  if (fin) {
    end_ = last_;
    early_.clear();
    early_bytes_ = 0_B;
    return;
  }
  if (!discarding_) append(inbox_, payload);
}

// What waited for the packet that was just delivered.
void UtpReceiver::advance() {
  while (!early_.empty()) {
    // The front stands for last_ + 1 now.
    Early early = std::move(early_.front());
    early_.pop_front();
    if (!early.present) return;
    early_bytes_ -= Bytes(std::ssize(early.payload));
    deliver(early.payload, early.fin);
  }
}

void UtpReceiver::consume(std::size_t size, TimePoint now) {
  read_ += size;
  TRIBUTARY_CHECK(read_ <= inbox_.size());
  if (read_ == inbox_.size()) {
    inbox_.clear();
    if (inbox_.capacity() > kCompactAt) inbox_.shrink_to_fit();
    read_ = 0;
  } else if (read_ >= kCompactAt) {
    inbox_.erase(inbox_.begin(), inbox_.begin() + static_cast<std::ptrdiff_t>(read_));
    read_ = 0;
  }
  if (told_window_ < kWindowStep && window() >= told_window_ + kWindowStep) ack_now(now);
}

void UtpReceiver::discard(TimePoint now) {
  discarding_ = true;
  consume(readable().size(), now);
}

Bytes UtpReceiver::window() const {
  return std::max(kUtpReceiveBuffer - Bytes(std::ssize(readable())), 0_B);
}

OctetBuffer UtpReceiver::selective_ack() const {
  OctetBuffer mask;
  if (early_.empty()) return mask;
  mask.resize((early_.size() + 31) / 32 * 4);
  for (std::size_t i = 0; i < early_.size(); ++i) {
    if (early_[i].present) mask[i / 8] = static_cast<std::uint8_t>(mask[i / 8] | 1 << (i % 8));
  }
  return mask;
}

void UtpReceiver::on_ack_sent() {
  unacknowledged_ = 0;
  ack_due_ = kNever;
  told_window_ = window();
}

}  // namespace tributary::wire
