// The parts of the API by themselves: handles, callbacks' thread, events.
#include <doctest/doctest.h>

#include <future>
#include <string>
#include <thread>
#include <vector>

#include "player/api/event_queue.h"
#include "player/api/handles.h"
#include "player/api/notifier.h"

namespace tributary::capi {
namespace {

struct Thing final : Object {
  void interrupt() override { interrupted.set_value(); }
  std::promise<void> interrupted;
};

TEST_CASE("a name that was taken back means nothing and is never given out again") {
  Handles handles;
  const Handles::Name first = handles.add(std::make_shared<Thing>());
  CHECK(handles.enter(first).object() != nullptr);
  CHECK(handles.take(first) != nullptr);
  CHECK(handles.take(first) == nullptr);
  CHECK(handles.enter(first).object() == nullptr);
  CHECK(handles.add(std::make_shared<Thing>()) != first);
}

TEST_CASE("taking a name back interrupts the calls that are in it, and waits for them") {
  Handles handles;
  const auto thing = std::make_shared<Thing>();
  const Handles::Name name = handles.add(thing);
  std::promise<void> entered;
  std::atomic<bool> left = false;
  std::thread caller([&] {
    const Handles::Use use = handles.enter(name);
    entered.set_value();
    thing->interrupted.get_future().wait();
    left = true;
  });
  entered.get_future().wait();
  CHECK(handles.take(name) == thing);
  CHECK(left);
  caller.join();
}

TEST_CASE("log lines beyond what may wait are dropped and counted, calls are not") {
  std::promise<void> release;
  std::promise<std::size_t> dropped;
  int calls = 0;
  int lines = 0;
  Notifier notifier([&](Notifier::Lane lane, std::size_t count) {
    CHECK(lane == Notifier::Lane::kLog);
    dropped.set_value(count);
  });
  notifier.give(Notifier::Lane::kCalls, [&] { release.get_future().wait(); });
  constexpr std::size_t kMany = Notifier::kMostWaiting + 10;
  for (std::size_t i = 0; i < kMany; ++i) {
    notifier.give(Notifier::Lane::kCalls, [&calls] { ++calls; });
    notifier.give(Notifier::Lane::kLog, [&lines] { ++lines; });
  }
  release.set_value();
  notifier.drain();
  CHECK(calls == static_cast<int>(kMany));
  CHECK(lines == static_cast<int>(Notifier::kMostWaiting));
  CHECK(dropped.get_future().get() == 10);
}

TEST_CASE("who gives a line of a trace beyond what may wait is told that it was dropped") {
  std::promise<void> release;
  std::size_t lines = 0;
  Notifier notifier(
      [](Notifier::Lane lane, std::size_t) { CHECK(lane == Notifier::Lane::kTrace); });
  notifier.give(Notifier::Lane::kCalls, [&] { release.get_future().wait(); });
  for (std::size_t i = 0; i < Notifier::kMostTraceLines; ++i) {
    REQUIRE(notifier.give(Notifier::Lane::kTrace, [&lines] { ++lines; }));
  }
  CHECK_FALSE(notifier.give(Notifier::Lane::kTrace, [&lines] { ++lines; }));
  release.set_value();
  notifier.drain();
  CHECK(lines == Notifier::kMostTraceLines);
}

TEST_CASE("of too many events of a kind the oldest goes, and none that answers a call") {
  int wakeups = 0;
  EventQueue events([&wakeups] { ++wakeups; });
  events.push({.type = TRIBUTARY_EVENT_LOADED});
  for (std::size_t i = 0; i < EventQueue::kMost + 5; ++i) {
    events.push({.type = TRIBUTARY_EVENT_STATE, .track = i});
  }
  events.push({.type = TRIBUTARY_EVENT_ENDED});
  CHECK(wakeups == 1);
  CHECK(events.take(Duration::zero())->type == TRIBUTARY_EVENT_LOADED);
  CHECK(events.take(Duration::zero())->track == 6);
  std::size_t left = 0;
  tributary_event_type last = TRIBUTARY_EVENT_NONE;
  while (const auto event = events.take(Duration::zero())) {
    ++left;
    last = event->type;
  }
  CHECK(left == EventQueue::kMost - 1);
  CHECK(last == TRIBUTARY_EVENT_ENDED);
}

}  // namespace
}  // namespace tributary::capi
