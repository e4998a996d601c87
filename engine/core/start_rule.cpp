#include "engine/core/start_rule.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

#include "engine/base/check.h"

namespace tributary::core {
namespace {

// Rates are quantised to four levels an octave (a step of about 19 %), and zero.
constexpr std::size_t kLevels = 1 + 4 * 32;

std::size_t level_of(std::uint32_t bytes) {
  if (bytes == 0) return 0;
  const int octave = std::bit_width(bytes) - 1;
  const std::uint64_t scaled = (std::uint64_t{bytes} << 2) >> octave;  // 4..7
  return static_cast<std::size_t>(1 + 4 * octave) + static_cast<std::size_t>(scaled - 4);
}

std::int64_t second_of(TimePoint t) {
  return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
}

// The chain: from a second of some level, a uniformly drawn past second of that level names the
// next one. That has the empirical transition probabilities without a matrix.
class RateChain {
 public:
  explicit RateChain(const RateHistory& history) {
    for (int i = 0; i < history.size(); ++i) {
      bytes_.push_back(static_cast<std::uint32_t>(history.at(i).count()));
    }
    std::array<std::size_t, kLevels> fill{};
    for (std::uint32_t b : with_successor()) ++first_[level_of(b) + 1];
    for (std::size_t l = 0; l < kLevels; ++l) first_[l + 1] += first_[l];
    by_level_.resize(bytes_.size() - 1);
    for (std::size_t i = 0; i + 1 < bytes_.size(); ++i) {
      const std::size_t l = level_of(bytes_[i]);
      by_level_[first_[l] + fill[l]++] = i;
    }
  }

  std::uint32_t last() const { return bytes_.back(); }
  std::uint32_t step(std::uint32_t from, Random& random) const {
    const std::size_t l = level_of(from);
    const std::size_t n = first_[l + 1] - first_[l];
    // Only the newest second can be without a successor: then any second may follow.
    if (n == 0) return bytes_[random.below(bytes_.size())];
    return bytes_[by_level_[first_[l] + random.below(n)] + 1];
  }

 private:
  std::vector<std::uint32_t> with_successor() const { return {bytes_.begin(), bytes_.end() - 1}; }

  std::vector<std::uint32_t> bytes_;
  std::array<std::size_t, kLevels + 1> first_{};  // level l: by_level_[first_[l], first_[l + 1])
  std::vector<std::size_t> by_level_;
};

// Bytes beyond the playhead's that must be in hand at the end of each simulated second.
std::vector<std::int64_t> needs_of(const ByteTimeMap& map, Duration position, Duration horizon) {
  const Duration end = std::min(map.duration() - position, horizon);
  const Bytes from = map.offset_at(position);
  std::vector<std::int64_t> needs;
  for (Duration t = 1s; static_cast<int>(needs.size()) < kMaxStartSteps; t += 1s) {
    needs.push_back((map.offset_at(position + std::min(t, end)) - from).count());
    if (t >= end) break;
  }
  return needs;
}

bool stalls(const RateChain& chain, std::int64_t have, const std::vector<std::int64_t>& needs,
            Random& random) {
  std::uint32_t rate = chain.last();
  for (std::int64_t need : needs) {
    if (have >= needs.back()) return false;
    if (have < need) return true;
    rate = chain.step(rate, random);
    have += rate;
  }
  return false;
}

}  // namespace

void RateHistory::add(TimePoint now, Bytes bytes) {
  TRIBUTARY_CHECK(bytes >= 0_B);
  advance(second_of(now));
  const std::int64_t room = std::numeric_limits<std::uint32_t>::max() - bytes_;
  bytes_ += static_cast<std::uint32_t>(std::min(bytes.count(), room));
}

void RateHistory::idle(TimePoint now) {
  if (!open_) return;
  advance(second_of(now));
  open_ = false;
  bytes_ = 0;
}

void RateHistory::advance(std::int64_t second) {
  if (!open_) {
    open_ = true;
    second_ = second;
  }
  if (second - second_ > kMaxSeconds) second_ = second - kMaxSeconds;
  for (; second_ < second; ++second_) push(std::exchange(bytes_, 0));
}

void RateHistory::push(std::uint32_t bytes) {
  if (samples_.size() < static_cast<std::size_t>(kMaxSeconds)) {
    samples_.push_back(bytes);
    return;
  }
  samples_[oldest_] = bytes;
  oldest_ = (oldest_ + 1) % samples_.size();
}

Bytes RateHistory::at(int i) const {
  return Bytes(samples_[(oldest_ + static_cast<std::size_t>(i)) % samples_.size()]);
}

bool may_start(const RateHistory& history, Bytes buffered_ahead, const ByteTimeMap& map,
               Duration position, Random& random, const StartRuleParams& params) {
  if (!map.known()) return buffered_ahead >= params.blind_buffer;
  position = std::clamp(position, Duration::zero(), map.duration());
  const auto needs = needs_of(map, position, params.horizon);
  if (buffered_ahead.count() >= needs.back()) return true;
  if (history.size() < std::max(params.min_samples, 2)) return false;
  const RateChain chain(history);
  int failures = 0;
  for (int run = 0; run < std::min(params.runs, kMaxStartRuns); ++run) {
    if (!stalls(chain, buffered_ahead.count(), needs, random)) continue;
    if (++failures > params.max_failures) return false;
  }
  return true;
}

}  // namespace tributary::core
