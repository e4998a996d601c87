#include "player/api/event_queue.h"

#include <algorithm>
#include <utility>

namespace tributary::capi {
namespace {

// The next of its kind says all that this one does.
bool is_replaceable(tributary_event_type type) {
  return type == TRIBUTARY_EVENT_STATE || type == TRIBUTARY_EVENT_RESOLVING ||
         type == TRIBUTARY_EVENT_MESSAGE;
}

}  // namespace

void EventQueue::push(Event event) {
  {
    const std::lock_guard lock(mutex_);
    if (events_.size() >= kMost && is_replaceable(event.type)) {
      const auto former = std::find_if(events_.begin(), events_.end(),
                                       [&](const Event& e) { return e.type == event.type; });
      if (former != events_.end()) events_.erase(former);
    }
    events_.push_back(std::move(event));
    changed_.notify_one();
    if (events_.size() > 1) return;
  }
  if (wake_) wake_();
}

std::optional<Event> EventQueue::take(std::optional<Duration> limit) {
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return closed_ || !events_.empty(); };
  if (limit) {
    changed_.wait_for(lock, *limit, ready);
  } else {
    changed_.wait(lock, ready);
  }
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

void EventQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool EventQueue::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

const char* EventQueue::keep(std::string text) {
  const std::lock_guard lock(mutex_);
  text_ = std::move(text);
  return text_.c_str();
}

}  // namespace tributary::capi
