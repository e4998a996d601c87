#include "engine/net/rate_limiter.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::net {
namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

}  // namespace

TokenBucket::TokenBucket(BitRate rate, Bytes burst, TokenBucket* parent)
    : rate_(rate), burst_(burst.count() * kPerByte), tokens_(burst_), parent_(parent) {
  TRIBUTARY_CHECK(rate >= BitRate());
  TRIBUTARY_CHECK(burst > 0_B && burst <= kMaxBurst);
}

bool TokenBucket::unlimited() const {
  return rate_ == kUnlimited && (!parent_ || parent_->unlimited());
}

void TokenBucket::set_rate(BitRate rate, TimePoint now) {
  TRIBUTARY_CHECK(rate >= BitRate());
  refill(now);
  rate_ = rate;
}

void TokenBucket::refill(TimePoint now) {
  if (!started_) {
    started_ = true;
    last_ = now;
  }
  TRIBUTARY_CHECK(now >= last_);
  if (rate_ == kUnlimited) {
    tokens_ = burst_;
  } else {
    const Int128 earned = static_cast<Int128>((now - last_).count()) * rate_.bits_per_second();
    tokens_ = static_cast<std::int64_t>(std::min<Int128>(burst_, tokens_ + earned));
  }
  last_ = now;
}

Bytes TokenBucket::available(TimePoint now) {
  refill(now);
  const Bytes own(floor_div(tokens_, kPerByte));
  return parent_ ? std::min(own, parent_->available(now)) : own;
}

void TokenBucket::take(Bytes size, TimePoint now) {
  TRIBUTARY_CHECK(size >= 0_B);
  refill(now);
  // A floor for the debt, in case somebody takes without asking for hours.
  constexpr std::int64_t kMaxDebt = -(kMaxBurst.count() * kPerByte);
  const Int128 left = tokens_ - static_cast<Int128>(size.count()) * kPerByte;
  if (rate_ != kUnlimited) tokens_ = static_cast<std::int64_t>(std::max<Int128>(left, kMaxDebt));
  if (parent_) parent_->take(size, now);
}

TimePoint TokenBucket::own_ready_at(TimePoint now) {
  refill(now);
  if (tokens_ >= kPerByte) return now;
  const std::int64_t rate = rate_.bits_per_second();
  if (rate == 0) return kNever;
  return now + Duration((kPerByte - tokens_ + rate - 1) / rate);
}

TimePoint TokenBucket::ready_at(TimePoint now) {
  const TimePoint own = own_ready_at(now);
  return parent_ ? std::max(own, parent_->ready_at(now)) : own;
}

}  // namespace tributary::net
