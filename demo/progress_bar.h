// One line of progress on stderr: percent, speed, time left.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/units.h"

namespace tributary::demo {

// What is counted; only of bytes the speed is shown.
enum class ProgressUnit { kBytes, kTime };

struct Progress {
  std::string label;
  std::int64_t done = 0;
  std::int64_t total = 0;
  Duration elapsed{};
  ProgressUnit unit = ProgressUnit::kBytes;
};

// The line, at most `width` columns. Pure.
std::string render_progress(const Progress& progress, int width);

// Draws on stderr when that is a terminal, and is silent otherwise. One thread.
class ProgressBar {
 public:
  explicit ProgressBar(std::string label, ProgressUnit unit = ProgressUnit::kBytes);
  // Removes the line.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Draws at most ten times a second.
  void update(Bytes done, Bytes total) { update(done.count(), total.count()); }
  void update(Duration done, Duration total) { update(done.count(), total.count()); }

 private:
  void update(std::int64_t done, std::int64_t total);

  std::string label_;
  ProgressUnit unit_;
  TimePoint started_;
  TimePoint drawn_ = TimePoint::min();
  bool visible_ = false;
};

}  // namespace tributary::demo
