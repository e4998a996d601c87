// What origin, tracker and seed have in common: one ready line, counters, a clean end.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "demo/stop_signals.h"
#include "engine/base/endpoint.h"
#include "engine/net/loop.h"
#include "engine/net/timer.h"

namespace tributary::demo {

// Create it before anything that starts a thread. Loop thread only, which is the creator's.
class ServerSession {
 public:
  // `verbose`: print counters even where stdout is no terminal.
  explicit ServerSession(bool verbose);

  net::Loop& loop() { return loop_; }
  // Prints "listening on HOST:PORT" at once; for programs that wait for it.
  static void announce_ready(const Endpoint& address);
  // Handles events until Ctrl-C or SIGTERM, or until `done` holds, which is looked at once a
  // second. `counters` gives a line of figures: once a second it is shown in place on a terminal,
  // or printed when it has changed if verbose; silent otherwise.
  void run(const std::function<std::string()>& counters, const std::function<bool()>& done = {});
  // Handles events until `done` holds; false when the user stopped it.
  bool run_until(const std::function<bool()>& done);
  bool stopped() const { return stopped_; }

 private:
  void tick();
  void show(const std::string& line);

  net::Loop loop_;
  bool verbose_;
  bool stopped_ = false;
  std::string shown_;
  std::function<std::string()> counters_;
  std::function<bool()> done_;
  net::Timer timer_{loop_};
  StopSignals signals_;  // last: its thread posts to the loop
};

}  // namespace tributary::demo
