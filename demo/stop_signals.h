// Ctrl-C and its like as calls on a thread of their own, where everything may be done.
#pragma once

#include <functional>
#include <thread>

namespace tributary::demo {

// Takes SIGINT, SIGTERM, SIGHUP and SIGTSTP away from all threads started after it, so create it
// first in main(), and once. The first of the three calls `on_stop`; a second ends the process with
// exit code 130, the terminal restored. SIGTSTP restores the terminal, stops the process, and calls
// `on_resume` when it continues. Both are called on the watching thread.
class StopSignals {
 public:
  explicit StopSignals(std::function<void()> on_stop, std::function<void()> on_resume = {});
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  void watch();

  std::function<void()> on_stop_;
  std::function<void()> on_resume_;
  std::thread thread_;
};

}  // namespace tributary::demo
