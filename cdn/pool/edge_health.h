// How one CDN server does: what its requests took lately, and when it may be asked again.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/random.h"
#include "engine/base/units.h"

namespace tributary::cdn {

// The last values of a measurement, with a prior that stands in until there are enough of them.
class Window {
 public:
  // A quantile of 32 values near the 95th is the second largest: one outlier does not rule it, and
  // 32 requests of a few blocks are the last minute or so of a stream.
  static constexpr std::size_t kSize = 32;
  // Two or three lucky values must not make a promise; the prior counts as one value until then.
  static constexpr std::size_t kPriorUntil = 4;

  explicit Window(std::int64_t prior) : prior_(prior) {}
  void add(std::int64_t value);
  // The smallest value such that at least percent % of the values are not above it.
  // REQUIRES: 0 < percent <= 100.
  std::int64_t quantile(int percent) const;

 private:
  std::int64_t prior_;
  std::vector<std::int64_t> values_;  // a ring once full
  std::size_t next_ = 0;
};

struct HealthParams {
  // A mobile network's round trips for DNS, TCP and TLS; pessimistic on wires, where four requests
  // correct it.
  Duration first_byte_prior = 300ms;
  // What a weak access link carries; a request must not be promised faster before one was seen.
  BitRate rate_prior = 4_Mbps;
  // The first pause is shorter than a buffer can notice, the longest still finds a repaired edge
  // within a minute.
  Duration backoff_base = 500ms;
  Duration backoff_max = 60s;
};

// Measurements and back-off of one server (scheme, host and port), shared by all torrents on it.
class EdgeHealth {
 public:
  explicit EdgeHealth(const HealthParams& params);

  void on_first_byte(Duration wait);
  // `size` bytes came in `time` after the first byte. Bursts too short to measure are ignored.
  void on_body(Bytes size, Duration time);
  void on_success();
  // A request that began at `started` failed. The next attempt is due after an exponential pause
  // with jitter, or `at_least` if that is longer. Requests that fail together count as one failure.
  void on_failure(TimePoint started, TimePoint now, Duration at_least, Random& random);
  // A failure that does not ask for a pause: the connection broke after it had delivered.
  void on_interruption() { ++failures_in_row_; }

  bool usable(TimePoint now) const { return retry_at_ <= now; }
  TimePoint retry_at() const { return retry_at_; }
  // One request at a time until one succeeds.
  bool probing() const { return failures_in_row_ > 0; }
  int failures_in_row() const { return failures_in_row_; }

  Duration first_byte_high() const { return first_byte_high_; }
  BitRate throughput_low() const { return throughput_low_; }
  Duration first_byte_mean() const { return first_byte_mean_; }
  BitRate rate_mean() const { return rate_mean_; }
  bool rate_measured() const { return rate_measured_; }

 private:
  HealthParams params_;
  Window first_bytes_;  // microseconds
  Window rates_;        // bits per second
  // Of what was measured so far; asked for far more often than it changes.
  Duration first_byte_high_;
  BitRate throughput_low_;
  Duration first_byte_mean_;
  BitRate rate_mean_;
  bool first_byte_measured_ = false;
  bool rate_measured_ = false;
  int failures_in_row_ = 0;
  TimePoint failed_at_ = TimePoint::min();
  TimePoint retry_at_ = TimePoint::min();
};

}  // namespace tributary::cdn
