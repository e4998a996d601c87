#include "player/api/notifier.h"

#include <future>
#include <limits>
#include <utility>

namespace tributary::capi {
namespace {

std::size_t index_of(Notifier::Lane lane) { return static_cast<std::size_t>(lane); }

std::size_t most_of(Notifier::Lane lane) {
  if (lane == Notifier::Lane::kCalls) return std::numeric_limits<std::size_t>::max();
  return lane == Notifier::Lane::kTrace ? Notifier::kMostTraceLines : Notifier::kMostWaiting;
}

}  // namespace

Notifier::Notifier(OnDropped on_dropped)
    : on_dropped_(std::move(on_dropped)), thread_([this] { run(); }) {}

bool Notifier::give(Lane lane, Task task) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return false;
  if (waiting_[index_of(lane)] >= most_of(lane)) {
    ++dropped_[index_of(lane)];
    return false;
  }
  ++waiting_[index_of(lane)];
  given_.push_back({lane, std::move(task)});
  changed_.notify_one();
  return true;
}

void Notifier::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopped_ || !given_.empty(); });
    if (given_.empty()) return;
    const Given next = std::move(given_.front());
    given_.pop_front();
    const std::size_t lane = index_of(next.lane);
    --waiting_[lane];
    const std::size_t dropped = std::exchange(dropped_[lane], 0);
    lock.unlock();
    next.task();
    if (dropped > 0) on_dropped_(next.lane, dropped);
    lock.lock();
  }
}

void Notifier::drain() {
  std::promise<void> reached;
  give(Lane::kCalls, [&reached] { reached.set_value(); });
  reached.get_future().wait();
}

void Notifier::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    given_.clear();
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

}  // namespace tributary::capi
