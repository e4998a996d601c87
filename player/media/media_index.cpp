#include "player/media/media_index.h"

#include <algorithm>
#include <utility>

namespace tributary::player {
namespace {

// No recording lasts longer; beyond it time stamps are broken, and doubling widths could overflow.
constexpr Duration kMaxTime = std::chrono::hours(24 * 365);

void merge(std::optional<core::TimeHint>& into, const std::optional<core::TimeHint>& other) {
  if (!other) return;
  if (!into) {
    into = other;
    return;
  }
  into->time = std::min(into->time, other->time);
  into->offset = std::min(into->offset, other->offset);
}

}  // namespace

void MediaIndex::note(Duration time, Bytes offset) {
  if (time > kMaxTime || offset < 0_B) return;
  time = std::max(time, Duration::zero());
  last_time_ = std::max(last_time_, time);
  if (std::exchange(last_offset_, offset) == offset) return;
  while (time / width_ >= kMaxPoints) widen();
  const auto slot = static_cast<std::size_t>(time / width_);
  if (slots_.size() <= slot) slots_.resize(slot + 1);
  merge(slots_[slot], core::TimeHint{time, offset});
  last_time_ = std::max(last_time_, time);
}

void MediaIndex::widen() {
  width_ *= 2;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (i % 2 == 0) {
      slots_[i / 2] = slots_[i];
    } else {
      merge(slots_[i / 2], slots_[i]);
    }
  }
  slots_.resize((slots_.size() + 1) / 2);
}

std::vector<core::TimeHint> MediaIndex::points() const {
  std::vector<core::TimeHint> points;
  for (auto slot = slots_.rbegin(); slot != slots_.rend(); ++slot) {
    if (!*slot) continue;
    core::TimeHint point = **slot;
    if (!points.empty()) point.offset = std::min(point.offset, points.back().offset);
    // Of points with one offset the latest says most: nothing before it is needed until then.
    if (points.empty() || point.offset < points.back().offset) points.push_back(point);
  }
  std::reverse(points.begin(), points.end());
  return points;
}

}  // namespace tributary::player
