// The thread that a client's callbacks are called on, so that none holds up what plays.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tributary::capi {

// Thread-safe. Runs tasks one after the other, in the order in which they were given. Of those that
// may be many (a lane) only so many wait; further ones are dropped, and counted.
class Notifier {
 public:
  static constexpr std::size_t kMostWaiting = 4096;      // log lines, decisions
  static constexpr std::size_t kMostTraceLines = 65536;  // some 20 MB; a hole would spoil the trace
  enum class Lane { kCalls, kLog, kDecisions, kTrace };  // nothing of kCalls is dropped
  using Task = std::function<void()>;
  // So many of the lane's tasks were dropped since the last one that ran. Called on the thread.
  using OnDropped = std::function<void(Lane, std::size_t)>;

  explicit Notifier(OnDropped on_dropped);
  ~Notifier() { stop(); }
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  // False for a task that was dropped.
  bool give(Lane lane, Task task);
  bool is_own_thread() const { return std::this_thread::get_id() == thread_.get_id(); }
  // Waits until all that was given has run. REQUIRES: not is_own_thread(), here and below.
  void drain();
  // Drops what waits, and waits for the task that runs.
  void stop();

 private:
  struct Given {
    Lane lane;
    Task task;
  };
  void run();

  const OnDropped on_dropped_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Given> given_;
  std::array<std::size_t, 4> waiting_{};  // by lane
  std::array<std::size_t, 4> dropped_{};
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace tributary::capi
