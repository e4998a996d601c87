// The events of one client, from its threads to whoever pulls them.
#pragma once

#include <tributary/tributary.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "engine/base/units.h"

namespace tributary::capi {

struct Event {
  tributary_event_type type = TRIBUTARY_EVENT_NONE;
  int result = TRIBUTARY_OK;
  std::size_t track = 0;
  tributary_state state = TRIBUTARY_STATE_LOADING;
  std::string text{};
  tributary_reader* reader = nullptr;
};

// Thread-safe. Holds at most kMost events of which one replaces another; what answers a call, or
// comes once, is kept whatever there is.
class EventQueue {
 public:
  static constexpr std::size_t kMost = 1024;

  // `wake` is called when there is an event after there was none; any thread. May be empty.
  explicit EventQueue(std::function<void()> wake) : wake_(std::move(wake)) {}

  void push(Event event);
  // Waits for an event at most `limit`, without limit where there is none. Nothing when none came.
  std::optional<Event> take(std::optional<Duration> limit);
  // Has take() return what there is, without waiting.
  void close();
  bool closed() const;
  // Keeps the text until the next call, and returns it.
  const char* keep(std::string text);

 private:
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Event> events_;
  bool closed_ = false;
  std::string text_;  // of the event that was pulled last
};

}  // namespace tributary::capi
