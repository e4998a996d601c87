// The latest scheduling decisions, from the client's thread to the gateway's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/core/trace.h"

namespace tributary::player {

// Thread-safe. Decisions are numbered from 1.
class DecisionLog {
 public:
  // As many as a screen can show and an eye follow.
  static constexpr std::size_t kKept = 200;

  void add(const core::Decision& decision) {
    const std::lock_guard lock(mutex_);
    latest_.push_back(decision);
    ++count_;
    if (latest_.size() > kKept) latest_.pop_front();
  }
  // Those after number `seen` that are still kept, and the number of the last.
  std::pair<std::vector<core::Decision>, std::uint64_t> since(std::uint64_t seen) const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t before = count_ - latest_.size();
    const auto skip = static_cast<std::ptrdiff_t>(seen > before ? seen - before : 0);
    return {{latest_.begin() + std::min(skip, std::ssize(latest_)), latest_.end()}, count_};
  }

 private:
  mutable std::mutex mutex_;
  std::deque<core::Decision> latest_;
  std::uint64_t count_ = 0;
};

}  // namespace tributary::player
