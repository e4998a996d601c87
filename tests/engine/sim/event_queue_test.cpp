#include "engine/sim/event_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "engine/base/random.h"

namespace tributary::sim {
namespace {

Event numbered(std::uint64_t id) { return {Owner::kScript, 0, HostId(0), id}; }

std::vector<std::uint64_t> drain(EventQueue& queue) {
  std::vector<std::uint64_t> ids;
  while (auto event = queue.pop()) ids.push_back(event->id);
  return ids;
}

TEST_CASE("events fire in order of time, and in order of scheduling within an instant") {
  EventQueue queue;
  queue.schedule(20ms, numbered(1));
  queue.schedule(10ms, numbered(2));
  queue.schedule(20ms, numbered(3));
  queue.schedule(10ms, numbered(4));
  CHECK(queue.next_time() == TimePoint(10ms));
  CHECK(drain(queue) == std::vector<std::uint64_t>{2, 4, 1, 3});
  CHECK(queue.now() == TimePoint(20ms));
}

TEST_CASE("a cancelled event does not fire, and cancelling twice says so") {
  EventQueue queue;
  const EventId id = queue.schedule(5ms, numbered(1));
  queue.schedule(6ms, numbered(2));
  CHECK(queue.cancel(id));
  CHECK_FALSE(queue.cancel(id));
  CHECK_FALSE(queue.move(id, TimePoint(9ms)));
  CHECK_FALSE(queue.cancel(kNoEvent));
  CHECK(drain(queue) == std::vector<std::uint64_t>{2});
}

TEST_CASE("the id of a fired event does not reach the event that took its slot") {
  EventQueue queue;
  const EventId old = queue.schedule(1ms, numbered(1));
  queue.pop();
  const EventId fresh = queue.schedule(1ms, numbered(2));
  CHECK_FALSE(queue.cancel(old));
  CHECK(queue.cancel(fresh));
}

TEST_CASE("a time that has passed means now") {
  EventQueue queue;
  queue.schedule(10ms, numbered(1));
  queue.pop();
  queue.schedule(TimePoint(3ms), numbered(2));
  CHECK(queue.next_time() == TimePoint(10ms));
}

TEST_CASE("ten thousand random schedules, moves and cancels fire as a sorted list would") {
  EventQueue queue;
  Random random(7);
  struct Plan {
    EventId event;
    TimePoint at;
    std::uint64_t order;
    bool live;
  };
  std::vector<Plan> plans;
  std::uint64_t order = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    const TimePoint at{Duration(random.below(1000))};
    plans.push_back({queue.schedule(at, numbered(i)), at, order++, true});
    Plan& other = plans[random.below(plans.size())];
    if (!other.live) continue;
    if (random.chance(1, 3)) {
      other.at = TimePoint(Duration(random.below(1000)));
      other.order = order++;
      CHECK(queue.move(other.event, other.at));
    } else if (random.chance(1, 3)) {
      other.live = false;
      CHECK(queue.cancel(other.event));
    }
  }
  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 0; i < plans.size(); ++i) {
    if (plans[i].live) expected.push_back(i);
  }
  std::sort(expected.begin(), expected.end(), [&](std::uint64_t a, std::uint64_t b) {
    return plans[a].at != plans[b].at ? plans[a].at < plans[b].at : plans[a].order < plans[b].order;
  });
  CHECK(drain(queue) == expected);
}

}  // namespace
}  // namespace tributary::sim
