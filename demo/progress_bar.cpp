#include "demo/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "demo/human.h"
#include "demo/terminal.h"
#include "demo/text_width.h"
#include "engine/net/clock.h"

namespace tributary::demo {
namespace {

constexpr Duration kRedraw = 100ms;
constexpr int kWidestBar = 30;
// Before this much time has passed a rate says little about the time left.
constexpr Duration kSettled = 500ms;

std::string time_left(const Progress& p) {
  if (p.elapsed < kSettled || p.done <= 0) return "";
  const std::int64_t left = std::max<std::int64_t>(p.total - p.done, 0);
  const Duration time(mul_div(left, p.elapsed.count(), p.done));
  return "  " + human_clock(time + 999ms) + " left";
}

}  // namespace

std::string render_progress(const Progress& p, int width) {
  const double share = p.total > 0 ? static_cast<double>(p.done) / static_cast<double>(p.total) : 0;
  const double part = std::clamp(share, 0.0, 1.0);
  std::string figures = pad_left(human_percent(part), 6);
  if (p.unit == ProgressUnit::kBytes) figures += "  " + human_byte_rate(Bytes(p.done), p.elapsed);
  figures += time_left(p);
  const int free = width - text_width(figures) - 4;
  const int bar = std::clamp(free - std::min(text_width(p.label), 16), 0, kWidestBar);
  if (bar < 4) return fit_text(p.label + figures, width);
  const int full = static_cast<int>(part * bar);
  const std::string line =
      fit_text(p.label, free - bar) + "  " + repeat("█", full) + repeat("░", bar - full) + figures;
  return fit_text(line, width);
}

ProgressBar::ProgressBar(std::string label, ProgressUnit unit)
    : label_(std::move(label)), unit_(unit), started_(net::read_clock()) {}

ProgressBar::~ProgressBar() {
  if (visible_) std::fputs("\r\x1b[K", stderr);
}

void ProgressBar::update(std::int64_t done, std::int64_t total) {
  if (!is_terminal(STDERR_FILENO)) return;
  const TimePoint now = net::read_clock();
  if (visible_ && now - drawn_ < kRedraw) return;
  drawn_ = now;
  visible_ = true;
  const Progress progress{label_, done, total, now - started_, unit_};
  const int width = terminal_size(STDERR_FILENO).columns - 1;  // the last column may wrap
  std::fprintf(stderr, "\r%s\x1b[K", render_progress(progress, width).c_str());
}

}  // namespace tributary::demo
