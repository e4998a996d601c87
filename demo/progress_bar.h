// One line of progress on stderr: percent, speed, time left.
#pragma once

#include <string>

#include "engine/base/units.h"

namespace tributary::demo {

struct Progress {
  std::string label;
  Bytes done;
  Bytes total;
  Duration elapsed{};
};

// The line, at most `width` columns. Pure.
std::string render_progress(const Progress& progress, int width);

// Draws on stderr when that is a terminal, and is silent otherwise. One thread.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label);
  // Removes the line.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Draws at most ten times a second.
  void update(Bytes done, Bytes total);

 private:
  std::string label_;
  TimePoint started_;
  TimePoint drawn_ = TimePoint::min();
  bool visible_ = false;
};

}  // namespace tributary::demo
