#include "cdn/pool/edge_health.h"

#include <algorithm>

#include "engine/base/check.h"

namespace tributary::cdn {
namespace {

// A mean that forgets: each new value counts a quarter, so that four requests tell a new story.
constexpr std::int64_t kMeanWeight = 4;

// What arrives at once with the first byte says nothing about the rate: a sample needs either
// enough bytes to fill several windows of the transport, or enough time.
constexpr Bytes kRateSampleBytes = 64_KiB;
constexpr Duration kRateSampleTime = 100ms;
constexpr Duration kRateShortest = 1ms;

constexpr int kMaxDoublings = 20;  // keeps the shift in range; backoff_max rules long before

}  // namespace

void Window::add(std::int64_t value) {
  if (values_.size() < kSize) {
    values_.push_back(value);
    return;
  }
  values_[next_] = value;
  next_ = (next_ + 1) % kSize;
}

std::int64_t Window::quantile(int percent) const {
  TRIBUTARY_CHECK(percent > 0 && percent <= 100);
  std::vector<std::int64_t> sorted = values_;
  if (sorted.size() < kPriorUntil) sorted.push_back(prior_);
  const std::size_t rank = (sorted.size() * static_cast<std::size_t>(percent) + 99) / 100;
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(sorted.begin(), at, sorted.end());
  return *at;
}

EdgeHealth::EdgeHealth(const HealthParams& params)
    : params_(params),
      first_bytes_(params.first_byte_prior.count()),
      rates_(params.rate_prior.bits_per_second()),
      first_byte_high_(params.first_byte_prior),
      throughput_low_(params.rate_prior),
      first_byte_mean_(params.first_byte_prior),
      rate_mean_(params.rate_prior) {}

void EdgeHealth::on_first_byte(Duration wait) {
  first_bytes_.add(wait.count());
  first_byte_high_ = Duration(first_bytes_.quantile(95));
  first_byte_mean_ =
      first_byte_measured_ ? first_byte_mean_ + (wait - first_byte_mean_) / kMeanWeight : wait;
  first_byte_measured_ = true;
}

void EdgeHealth::on_body(Bytes size, Duration time) {
  if (time < kRateShortest || (size < kRateSampleBytes && time < kRateSampleTime)) return;
  const BitRate rate = rate_of(size, time);
  rates_.add(rate.bits_per_second());
  throughput_low_ = BitRate(rates_.quantile(10));
  rate_mean_ = rate_measured_ ? rate_mean_ + (rate - rate_mean_) / kMeanWeight : rate;
  rate_measured_ = true;
}

void EdgeHealth::on_success() {
  failures_in_row_ = 0;
  retry_at_ = TimePoint::min();
}

void EdgeHealth::on_failure(TimePoint started, TimePoint now, Duration at_least, Random& random) {
  if (failures_in_row_ > 0 && started < failed_at_) {
    retry_at_ = std::max(retry_at_, now + at_least);
    return;
  }
  failed_at_ = now;
  const int doublings = std::min(failures_in_row_++, kMaxDoublings);
  const Duration full = std::min(params_.backoff_base * (1 << doublings), params_.backoff_max);
  // Between half and the whole pause, so that clients that failed together do not return together.
  const Duration half = full / 2;
  const Duration jitter(
      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(half.count()) + 1)));
  retry_at_ = std::max(retry_at_, now + std::max(half + jitter, at_least));
}

}  // namespace tributary::cdn
