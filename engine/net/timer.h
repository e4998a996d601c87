// A one-shot timer on a loop.
#pragma once

#include <functional>

#include "engine/base/units.h"
#include "engine/net/loop.h"

namespace tributary::net {

// Loop thread only. Destroying or stopping it, also from its own callback, guarantees that the
// callback is not called again.
class Timer {
 public:
  explicit Timer(Loop& loop);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Calls `callback` once at or after `at`, late by up to a millisecond; never before. Replaces
  // what was set. A time that has passed means the next turn; kNever means stop().
  void start(TimePoint at, Loop::Task callback);
  void stop();
  bool active() const;

 private:
  struct State;
  State* state_;  // owned; outlives the timer until libuv has closed the handle
};

}  // namespace tributary::net
