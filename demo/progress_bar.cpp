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
  if (p.elapsed < kSettled || p.done <= 0_B) return "";
  const Bytes left = std::max(p.total - p.done, 0_B);
  const Duration time(mul_div(left.count(), p.elapsed.count(), p.done.count()));
  return "  " + human_clock(time + 999ms) + " left";
}

}  // namespace

std::string render_progress(const Progress& p, int width) {
  const double share =
      p.total > 0_B ? static_cast<double>(p.done.count()) / static_cast<double>(p.total.count())
                    : 0;
  const double part = std::clamp(share, 0.0, 1.0);
  const std::string figures =
      pad_left(human_percent(part), 6) + "  " + human_byte_rate(p.done, p.elapsed) + time_left(p);
  const int free = width - text_width(figures) - 4;
  const int bar = std::clamp(free - std::min(text_width(p.label), 16), 0, kWidestBar);
  if (bar < 4) return fit_text(p.label + figures, width);
  const int full = static_cast<int>(part * bar);
  const std::string line =
      fit_text(p.label, free - bar) + "  " + repeat("█", full) + repeat("░", bar - full) + figures;
  return fit_text(line, width);
}

ProgressBar::ProgressBar(std::string label)
    : label_(std::move(label)), started_(net::read_clock()) {}

ProgressBar::~ProgressBar() {
  if (visible_) std::fputs("\r\x1b[K", stderr);
}

void ProgressBar::update(Bytes done, Bytes total) {
  if (!is_terminal(STDERR_FILENO)) return;
  const TimePoint now = net::read_clock();
  if (visible_ && now - drawn_ < kRedraw) return;
  drawn_ = now;
  visible_ = true;
  const Progress progress{label_, done, total, now - started_};
  const int width = terminal_size(STDERR_FILENO).columns - 1;  // the last column may wrap
  std::fprintf(stderr, "\r%s\x1b[K", render_progress(progress, width).c_str());
}

}  // namespace tributary::demo
