#include "engine/core/estimator.h"

#include <algorithm>

#include "engine/core/ids.h"

namespace tributary::core {

void SmoothedDuration::add(Duration sample) {
  if (!measured_) {
    measured_ = true;
    mean_ = sample;
    deviation_ = sample / 2;
    return;
  }
  const Duration error = sample - mean_;
  deviation_ += (std::chrono::abs(error) - deviation_) / 4;
  mean_ += error / 8;
}

void CompletionEstimator::on_request(TimePoint now, std::int32_t outstanding) {
  if (outstanding > 1) return;
  busy_since_ = now;
  idle_request_ = now;
  answering_ = true;
}

void CompletionEstimator::on_block(TimePoint now, TimePoint asked_at, std::int32_t outstanding) {
  if (answering_) {
    latency_.add(now - idle_request_);
    // The first block of a burst holds a round trip; alone it would understate the rate.
    if (!service_.measured() || outstanding == 0) service_.add(now - idle_request_);
    answering_ = false;
  } else {
    service_.add(now - std::max(busy_since_, asked_at));
  }
  busy_since_ = now;
}

TimePoint CompletionEstimator::expected_finish(TimePoint now, std::int32_t blocks,
                                               std::int32_t outstanding, BitRate assumed) const {
  if (!service_.measured()) {
    const Duration block = transfer_time(kBlockSize, assumed);
    const Duration silent = outstanding > 0 ? now - busy_since_ : Duration::zero();
    return now + blocks * std::max(block, silent);
  }
  Duration per_block = service_.mean();
  if (outstanding > 0) per_block = std::max(per_block, (now - busy_since_) / 2);
  const Duration wait = outstanding == 0 ? latency_.mean() : Duration::zero();
  return now + wait + blocks * per_block + 2 * service_.deviation();
}

}  // namespace tributary::core
