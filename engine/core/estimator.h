// What one peer does, measured by completions: how long a block takes it, with its spread, and how
// long an idle peer takes to answer. Claims of speed are never asked for.
#pragma once

#include "engine/base/units.h"

namespace tributary::core {

// Mean and mean deviation of a sequence of durations (the smoothing of RFC 6298).
class SmoothedDuration {
 public:
  void add(Duration sample);
  bool measured() const { return measured_; }
  Duration mean() const { return mean_; }
  Duration deviation() const { return deviation_; }

 private:
  bool measured_ = false;
  Duration mean_{};
  Duration deviation_{};
};

class CompletionEstimator {
 public:
  // A request was sent; `outstanding` counts it.
  void on_request(TimePoint now, std::int32_t outstanding);
  // A block came. `outstanding` is what is left; `asked_at` is when this one was asked for.
  void on_block(TimePoint now, TimePoint asked_at, std::int32_t outstanding);

  // When `blocks` blocks, queued behind one another from now on, are expected to be complete, on
  // the cautious side (two mean deviations). A peer that has been silent for longer than a block
  // takes it counts as that slow. `assumed` stands in for what was never measured.
  TimePoint expected_finish(TimePoint now, std::int32_t blocks, std::int32_t outstanding,
                            BitRate assumed) const;

  // When a busy peer's next block is due, on the cautious side. REQUIRES: measured().
  TimePoint next_due() const { return busy_since_ + service_.mean() + 2 * service_.deviation(); }

  bool measured() const { return service_.measured(); }
  Duration per_block() const { return service_.mean(); }
  Duration latency() const { return latency_.mean(); }

 private:
  SmoothedDuration service_;  // per 16 KiB block while busy
  SmoothedDuration latency_;  // from a request to an idle peer until its block
  TimePoint busy_since_{};    // last completion, or the request that ended idleness
  TimePoint idle_request_{};  // when an idle peer was last asked
  bool answering_ = false;    // the next block answers idle_request_
};

}  // namespace tributary::core
