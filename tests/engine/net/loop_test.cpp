#include "engine/net/loop.h"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "engine/net/timer.h"

namespace tributary::net {
namespace {

TEST_CASE("posted tasks run in order on the loop thread, and stop ends the run") {
  Loop loop;
  std::vector<int> order;
  loop.post([&] { order.push_back(1); });
  loop.post([&] {
    order.push_back(2);
    loop.post([&] {
      order.push_back(3);
      loop.stop();
    });
  });
  loop.run();
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("thousands of posts from threads all arrive, each thread's in order") {
  constexpr int kThreads = 4;
  constexpr int kPosts = 5000;
  Loop loop;
  std::vector<int> next(kThreads, 0);
  int arrived = 0;
  bool ordered = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop.post([&, t, i] {
          ordered = ordered && next[static_cast<std::size_t>(t)]++ == i;
          ++arrived;
        });
      }
    });
  }
  CHECK(loop.run_until([&] { return arrived == kThreads * kPosts; }, 30s));
  for (std::thread& thread : threads) thread.join();
  CHECK(ordered);
}

TEST_CASE("a loop may be stopped and run from different threads") {
  Loop loop;
  std::thread stopper([&] { loop.stop(); });
  loop.run();
  stopper.join();
}

TEST_CASE("work runs off the loop thread and completes on it") {
  Loop loop;
  const auto here = std::this_thread::get_id();
  std::thread::id worker;
  std::thread::id completion;
  loop.work([&] { worker = std::this_thread::get_id(); },
            [&] {
              completion = std::this_thread::get_id();
              loop.stop();
            });
  loop.run();
  CHECK(worker != here);
  CHECK(completion == here);
}

TEST_CASE("a loop that ends with work and posts pending drops their completions") {
  const auto token = std::make_shared<int>(0);
  int completed = 0;
  {
    Loop loop;
    for (int i = 0; i < 50; ++i) loop.work([token] {}, [token, &completed] { ++completed; });
    loop.post([token, &completed] { ++completed; });
  }
  CHECK(completed == 0);
  CHECK(token.use_count() == 1);
}

TEST_CASE("timers fire in the order of their times, none early") {
  Loop loop;
  std::vector<int> order;
  Timer a(loop);
  Timer b(loop);
  Timer c(loop);
  const TimePoint start = loop.now();
  bool early = false;
  const auto note = [&](int n, TimePoint due) {
    early = early || loop.now() < due;
    order.push_back(n);
  };
  a.start(start + 12'300us, [&] { note(3, start + 12'300us); });
  b.start(start + 1'700us, [&] { note(1, start + 1'700us); });
  c.start(start + 6ms, [&] { note(2, start + 6ms); });
  CHECK(loop.run_until([&] { return order.size() == 3; }, 30s));
  CHECK(order == std::vector<int>{1, 2, 3});
  CHECK_FALSE(early);
}

TEST_CASE("a stopped, replaced or destroyed timer does not call its old task") {
  Loop loop;
  int wrong = 0;
  int right = 0;
  Timer stopped(loop);
  Timer replaced(loop);
  auto destroyed = std::make_unique<Timer>(loop);
  stopped.start(loop.now(), [&] { ++wrong; });
  replaced.start(loop.now(), [&] { ++wrong; });
  destroyed->start(loop.now(), [&] { ++wrong; });
  stopped.stop();
  CHECK_FALSE(stopped.active());
  destroyed.reset();
  replaced.start(loop.now() + 2ms, [&] { ++right; });
  CHECK(loop.run_until([&] { return right == 1; }, 30s));
  CHECK(wrong == 0);
  replaced.start(kNever, [&] { ++wrong; });
  CHECK_FALSE(replaced.active());
}

TEST_CASE("a timer may set itself again or be destroyed from its own task") {
  Loop loop;
  std::optional<Timer> timer(loop);
  int fired = 0;
  const std::function<void()> tick = [&] {
    if (++fired == 3) return timer.reset();
    timer->start(loop.now(), tick);
  };
  timer->start(loop.now(), tick);
  CHECK(loop.run_until([&] { return fired == 3; }, 30s));
  CHECK_FALSE(timer.has_value());
}

TEST_CASE("run_until gives up at its limit") {
  Loop loop;
  CHECK_FALSE(loop.run_until([] { return false; }, 1ms));
}

}  // namespace
}  // namespace tributary::net
