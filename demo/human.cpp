#include "demo/human.h"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace tributary::demo {
namespace {

std::string format(const char* pattern, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), pattern, value);
  return text.data();
}

// Three significant digits, without trailing zeros behind the point: 1.05, 16.4, 2.5, 999.
std::string three_digits(double value) {
  std::string text = format(value < 9.995 ? "%.2f" : value < 99.95 ? "%.1f" : "%.0f", value);
  if (text.find('.') == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string scaled(double value, const std::array<const char*, 5>& units) {
  std::size_t unit = 0;
  // 999.5 and more would be shown as 1000.
  while (value >= 999.5 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  return (unit == 0 ? format("%.0f", value) : three_digits(value)) + " " + units[unit];
}

std::string two(std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

double seconds_of(Duration time) { return static_cast<double>(time.count()) / 1e6; }

}  // namespace

std::string human_bytes(Bytes size) {
  return scaled(static_cast<double>(size.count()), {"B", "kB", "MB", "GB", "TB"});
}

std::string human_rate(BitRate rate) {
  if (rate == kUnlimited) return "unlimited";
  return scaled(static_cast<double>(rate.bits_per_second()),
                {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"});
}

std::string human_byte_rate(Bytes size, Duration time) {
  const double seconds = seconds_of(time);
  return scaled(seconds > 0 ? static_cast<double>(size.count()) / seconds : 0,
                {"B/s", "kB/s", "MB/s", "GB/s", "TB/s"});
}

std::string human_clock(Duration time) {
  const std::int64_t s = time < Duration::zero() ? 0 : time / 1s;
  const std::string tail = two(s % 60);
  if (s < 3600) return std::to_string(s / 60) + ":" + tail;
  return std::to_string(s / 3600) + ":" + two(s / 60 % 60) + ":" + tail;
}

std::string human_delay(Duration time) {
  if (time < 1s) return std::to_string(time / 1ms) + " ms";
  if (time < 60s) return three_digits(seconds_of(time)) + " s";
  return human_clock(time);
}

std::string human_seconds(Duration time) {
  return time < 120s ? format("%.1f s", seconds_of(time)) : human_clock(time);
}

std::string human_percent(double ratio) {
  if (ratio > 0 && ratio < 0.005) return "<1 %";
  // Only the whole is 100 %.
  if (ratio < 1 && ratio >= 0.995) return "99 %";
  return format("%.0f %%", ratio * 100);
}

std::string human_ratio(std::int64_t percent) {
  std::string text = format("%.2f", static_cast<double>(percent) / 100);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string human_count(std::int64_t n, const std::string& noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

}  // namespace tributary::demo
