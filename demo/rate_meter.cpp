#include "demo/rate_meter.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tributary::demo {

void RateMeter::add(TimePoint now, Bytes total) {
  if (recent_.empty()) second_ = {now, total};
  recent_.push_back({now, total});
  while (recent_.size() > 2 && now - recent_[1].at >= kWindow) recent_.pop_front();
  if (now - second_.at < 1s) return;
  history_.push_back(rate_of(total - second_.total, now - second_.at));
  if (history_.size() > kHistory) history_.erase(history_.begin());
  second_ = {now, total};
}

BitRate RateMeter::now() const {
  if (recent_.size() < 2) return {};
  const Sample& first = recent_.front();
  const Sample& last = recent_.back();
  return rate_of(last.total - first.total, last.at - first.at);
}

std::string sparkline(const std::vector<BitRate>& rates, BitRate top, int width) {
  constexpr std::array<std::string_view, 9> kBars = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string out;
  const int shown = std::clamp(width, 0, static_cast<int>(rates.size()));
  for (std::size_t i = rates.size() - static_cast<std::size_t>(shown); i < rates.size(); ++i) {
    const std::int64_t rate = std::min(rates[i], top).bits_per_second();
    const std::int64_t height =
        rate <= 0 ? 0 : std::max<std::int64_t>(1, mul_div(rate, 8, top.bits_per_second()));
    out += kBars[static_cast<std::size_t>(height)];
  }
  return out;
}

}  // namespace tributary::demo
