#include "engine/wire/ledbat.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::wire {
namespace {

constexpr Duration kMinute = 60s;
// Slow start ends when the queue reaches this part of the target (LEDBAT++, 4.3): what is under way
// by then makes up for the rest.
constexpr int kSlowStartNumerator = 3;
constexpr int kSlowStartDenominator = 4;

// LEDBAT++, 4.4.
constexpr int kFrozenRoundTrips = 2;
// Between two slow-downs, in lengths of the last one until the window was back: a tenth of the
// time.
constexpr int kSlowDownInterval = 9;

}  // namespace

// --- DelayHistory

Duration DelayHistory::origin_relative(std::uint32_t sample) const {
  return Duration(static_cast<std::int32_t>(sample - origin_));
}

void DelayHistory::add(std::uint32_t sample, TimePoint now) {
  if (samples_ == 0) {
    origin_ = sample;
    minutes_ = 1;
    minute_ends_ = now + kMinute;
    current_.fill(Duration::zero());
  }
  const Duration delay = origin_relative(sample);
  current_[static_cast<std::size_t>(samples_++) % kCurrentFilter] = delay;
  if (now >= minute_ends_) {
    minute_ends_ = now + kMinute;
    minute_ = (minute_ + 1) % kBaseHistoryMinutes;
    minutes_ = std::min(minutes_ + 1, kBaseHistoryMinutes);
    minima_[minute_] = delay;
  }
  minima_[minute_] = std::min(minima_[minute_], delay);
}

Duration DelayHistory::base() const {
  const auto known = minima_.begin() + static_cast<std::ptrdiff_t>(minutes_);
  return empty() ? Duration::zero() : *std::min_element(minima_.begin(), known);
}

Duration DelayHistory::queuing() const {
  if (empty()) return Duration::zero();
  const auto known = current_.begin() + std::min<std::int64_t>(samples_, std::ssize(current_));
  return std::max(*std::min_element(current_.begin(), known) - base(), Duration::zero());
}

void DelayHistory::shift(Duration by) {
  for (Duration& minimum : minima_) minimum += by;
}

// --- LedbatWindow

LedbatWindow::LedbatWindow(Bytes segment, Duration target) : segment_(segment), target_(target) {
  TRIBUTARY_CHECK(segment > 0_B && target > Duration::zero());
  set(segment * kLedbatInitialWindow);
}

void LedbatWindow::set(Bytes size) { window_ = std::clamp(size, segment_, kMax).count() * kScale; }

void LedbatWindow::on_ack(const Ack& ack, TimePoint now) {
  if (slow_down(ack, now)) return;
  if (in_slow_start()) {
    const Duration delay = ack.queuing.value_or(Duration::zero());
    if (delay * kSlowStartDenominator < target_ * kSlowStartNumerator) {
      if (ack.limited) set(std::min(size() + ack.acked, slow_start_end_));
      if (!in_slow_start()) leave_slow_start(now);
      return;
    }
    leave_slow_start(now);
  }
  adapt(ack);
}

void LedbatWindow::adapt(const Ack& ack) {
  const Duration delay = ack.queuing.value_or(Duration::zero());
  const std::int64_t scaled = ack.acked.count() * kScale;
  if (delay > target_) {
    // At most half a window in a round trip.
    const std::int64_t over = mul_div(scaled, (delay - target_).count(), target_.count());
    window_ -= std::min(over, scaled / 2);
    window_ = std::max(window_, (segment_ * kLedbatMinWindow).count() * kScale);
  } else if (ack.limited) {
    const std::int64_t most = mul_div(scaled, segment_.count() * kScale, window_);
    window_ += mul_div(most, (target_ - delay).count(), target_.count());
    window_ = std::min(window_, kMax.count() * kScale);
  }
}

// True while the window is to stay as it is.
bool LedbatWindow::slow_down(const Ack& ack, TimePoint now) {
  if (now < frozen_until_) return true;
  const Bytes least = segment_ * kLedbatMinWindow;
  if (now < slow_down_at_ || !ack.limited || size() <= least) return false;
  slow_start_end_ = size();
  set(least);
  slow_down_at_ = kNever;
  slowed_down_at_ = now;
  frozen_until_ = now + kFrozenRoundTrips * ack.round_trip;
  return true;
}

void LedbatWindow::leave_slow_start(TimePoint now) {
  slow_start_end_ = 0_B;
  if (slow_down_at_ != kNever) return;
  const bool first = slowed_down_at_ == TimePoint{};
  slow_down_at_ = first ? now : now + kSlowDownInterval * (now - slowed_down_at_);
}

void LedbatWindow::on_loss(TimePoint now) {
  set(std::min(size(), std::max(size() / 2, segment_ * kLedbatMinWindow)));
  leave_slow_start(now);
}

void LedbatWindow::on_timeout() {
  slow_start_end_ = std::max(size() / 2, segment_ * kLedbatMinWindow);
  set(segment_);
}

void LedbatWindow::on_idle(Duration idle, Duration timeout) {
  const Bytes least = std::min(size(), segment_ * kLedbatInitialWindow);
  const Bytes before = size();
  for (Duration left = idle; left >= timeout && size() > least; left -= timeout) {
    set(std::max(size() / 2, least));
  }
  if (size() < before) slow_start_end_ = std::max(slow_start_end_, before * 3 / 4);
}

}  // namespace tributary::wire
