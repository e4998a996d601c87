// The event loop: one thread that runs all callbacks of a node, over libuv.
#pragma once

#include <functional>
#include <memory>

#include "engine/base/units.h"

using uv_loop_t = struct uv_loop_s;

namespace tributary::net {

// Threads: the thread that calls run() or run_until() is the loop thread; post() and stop() may be
// called from any thread, all else from the loop thread only.
// Lifetime: whatever owns handles on the loop (timers, transports, fetchers) must be destroyed
// before it; that is checked. The destructor waits for work() jobs that have begun, and drops
// posted tasks and completions that have not run. The first Loop of a process sets SIGPIPE to be
// ignored where nobody has chosen otherwise, because a write to a connection that the peer reset
// would end the process.
class Loop {
 public:
  using Task = std::function<void()>;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Handles events until stop().
  void run();
  // Handles events until `done` holds, which is asked after each turn; false when `limit` passed
  // before. For tests and for commands that wait for one thing.
  bool run_until(const std::function<bool()>& done, Duration limit);
  // Lets the current, or else the next, run() return.
  void stop();

  // Runs the task on the loop thread, in the order of posting, on a later turn.
  void post(Task task);
  // Runs `job` on the thread pool, then `done` on the loop thread. `done` may be empty.
  void work(Task job, Task done);

  // Microseconds, monotonic; reads the clock each time.
  TimePoint now() const;

  // For the other shells on this loop.
  uv_loop_t* uv();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tributary::net
